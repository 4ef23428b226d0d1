# The module's inputs. Validations refuse at plan time what AWS would refuse during the apply. docs/configuration.md has
# the details of each input.

################################################################################
# Names and tags
################################################################################

variable "name" {
  description = <<-EOT
    Name of the function and name prefix of every other resource: 3 to 36 lower-case letters, digits and hyphens.
    Changing it replaces every named resource, tables and queues included.
  EOT
  type        = string
  default     = "image-labels"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,34}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 36 lower-case letters, digits and hyphens, with a letter or digit at both ends: the name of a new bucket starts with it, and S3 limits bucket names."
  }

  validation {
    condition     = alltrue([for start in ["xn--", "sthree-", "amzn-s3-demo-"] : !startswith(var.name, start)])
    error_message = "name must not start with xn--, sthree- or amzn-s3-demo-: S3 reserves these prefixes, and the name of a new bucket starts with it."
  }
}

variable "tags" {
  description = <<-EOT
    Tags for every resource that supports them, in addition to the provider's default_tags: at most 50 in total.
  EOT
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 50
    error_message = "tags must have at most 50 entries: AWS allows no more per resource."
  }

  # The strictest rule among the services used: IAM's and CloudWatch Logs'. DynamoDB's guide omits @, but its API allows it.
  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
  validation {
    condition     = alltrue([for key in keys(var.tags) : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key))])
    error_message = "tags must have names of 1 to 128 letters, digits, spaces and _ . : / = + - @: IAM allows no other characters."
  }

  validation {
    condition     = alltrue([for value in values(var.tags) : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value))])
    error_message = "tags must have values of at most 256 letters, digits, spaces and _ . : / = + - @: IAM allows no other characters, such as line breaks or commas. Use \"\" instead of null for an empty value."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "tags must not have names that start with aws:, which AWS reserves."
  }

  validation {
    condition     = length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags)
    error_message = "tags must not have names that differ only in case, such as Team and team: IAM treats them as duplicates and refuses them."
  }
}

################################################################################
# Bucket
################################################################################

variable "create_bucket" {
  description = <<-EOT
    Whether to create the bucket. With false the module uses the existing bucket bucket_name and leaves its
    configuration unchanged, except for its event notifications with trigger = "s3".
  EOT
  type        = bool
  default     = true
  nullable    = false
}

variable "bucket_name" {
  description = <<-EOT
    Name of the bucket; with create_bucket = false, the name of the existing bucket, which is then required. null
    creates a bucket named after `name` with a random suffix.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be null or 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends: S3 allows no other names."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    condition = var.bucket_name == null ? true : alltrue(concat(
      [!strcontains(var.bucket_name, ".."), !can(regex("^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$", var.bucket_name))],
      [for start in ["xn--", "sthree-", "amzn-s3-demo-"] : !startswith(var.bucket_name, start)],
      [for end in ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"] : !endswith(var.bucket_name, end)],
    ))
    error_message = "bucket_name must not contain two adjacent dots, be formatted as an IP address, start with xn--, sthree- or amzn-s3-demo-, or end with -s3alias, --ol-s3, .mrap, --x-s3 or --table-s3: S3 refuses or reserves such names."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
    condition     = !(var.create_bucket && endswith(coalesce(var.bucket_name, "-"), "-an"))
    error_message = "bucket_name must not end with -an for a new bucket: S3 reserves this suffix for buckets in an account regional namespace, which the module does not create. Create the bucket yourself and set create_bucket = false."
  }

  validation {
    condition     = var.create_bucket || var.bucket_name != null
    error_message = "bucket_name must be the name of the existing bucket if create_bucket is false."
  }
}

variable "bucket_force_destroy" {
  description = <<-EOT
    Whether `terraform destroy` deletes the new bucket together with the photos in it. With false, the destroy fails if
    the bucket is not empty.
  EOT
  type        = bool
  default     = false
  nullable    = false
}

variable "bucket_versioning" {
  description = "Whether to enable versioning on the new bucket. S3 can suspend versioning later but not remove it."
  type        = bool
  default     = true
  nullable    = false
}

variable "bucket_noncurrent_version_days" {
  description = <<-EOT
    Days after which the new bucket deletes noncurrent object versions: a whole number from 1 to 2147483647. null keeps
    them indefinitely.
  EOT
  type        = number
  default     = 30

  validation {
    condition = var.bucket_noncurrent_version_days == null ? true : (
      var.bucket_noncurrent_version_days >= 1 && var.bucket_noncurrent_version_days <= 2147483647
      && floor(var.bucket_noncurrent_version_days) == var.bucket_noncurrent_version_days
    )
    error_message = "bucket_noncurrent_version_days must be null (keep versions) or a whole number of days from 1 to 2147483647: S3 lifecycle rules allow no other values."
  }
}

################################################################################
# Events and the objects to label
################################################################################

variable "trigger" {
  description = <<-EOT
    Source of object-created and object-deleted events: "s3" (event notifications of the bucket, which REPLACE those of
    an existing bucket) or "eventbridge" (rules on the default event bus, which leave an existing bucket unchanged).
  EOT
  type        = string
  default     = "s3"
  nullable    = false

  validation {
    condition     = contains(["s3", "eventbridge"], var.trigger)
    error_message = "trigger must be \"s3\" (event notifications of the bucket, managed by the module) or \"eventbridge\" (rules on the default event bus, which leave the notifications of an existing bucket unchanged)."
  }
}

variable "filter_prefix" {
  description = <<-EOT
    Key prefix of the objects to label, which also limits the objects that the function may read: at most 512 letters,
    digits and / ! - _ . ' ( ). "" matches every key.
  EOT
  type        = string
  default     = "images/"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z/!_.'()-]{0,512}$", var.filter_prefix))
    error_message = "filter_prefix must be at most 512 letters, digits and / ! - _ . ' ( ): S3 requires percent-encoding of other characters in a filter but IAM does not in a policy, and * ? $ are special characters in a policy."
  }
}

variable "filter_suffixes" {
  description = <<-EOT
    Key suffixes of the objects to label: 1 to 100 (at most 90 with trigger = "eventbridge" and a prefix),
    case-sensitive, each of at most 128 letters, digits and / ! - _ . ' ( ), and none the end of another. [""] matches
    every key under the prefix.
  EOT
  type        = set(string)
  default     = [".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"]
  nullable    = false

  validation {
    condition     = length(var.filter_suffixes) >= 1 && length(var.filter_suffixes) <= 100
    error_message = "filter_suffixes must have 1 to 100 suffixes: each is one event notification, and a bucket can have 100. Use [\"\"] for every key under the prefix."
  }

  validation {
    condition     = alltrue([for suffix in var.filter_suffixes : can(regex("^[0-9A-Za-z/!_.'()-]{0,128}$", suffix))])
    error_message = "filter_suffixes must each be at most 128 letters, digits and / ! - _ . ' ( ): S3 filters support no * and require percent-encoding of other characters."
  }

  validation {
    condition = alltrue(flatten([
      for one in var.filter_suffixes : [for other in var.filter_suffixes : one == other || !endswith(one, other)]
    ]))
    error_message = "filter_suffixes must not overlap, as \".jpg\" and \"photo.jpg\" do: S3 refuses two notifications that can match the same key."
  }
}

################################################################################
# Labels
################################################################################

variable "min_confidence" {
  description = "Minimum confidence of the labels to store, in percent, from 0 to 100."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.min_confidence >= 0 && var.min_confidence <= 100
    error_message = "min_confidence must be from 0 to 100: Rekognition reports confidence in percent."
  }
}

variable "requested_min_confidence" {
  description = <<-EOT
    Minimum confidence of the labels to request from Rekognition, in percent, from 0 to min_confidence. Labels below
    min_confidence are kept with the photo, where a lower min_confidence finds them without a call. null means
    min_confidence.
  EOT
  type        = number
  default     = null

  validation {
    condition     = var.requested_min_confidence == null ? true : var.requested_min_confidence >= 0 && var.requested_min_confidence <= var.min_confidence
    error_message = "requested_min_confidence must be from 0 to min_confidence (${var.min_confidence}): labels that are not requested cannot be stored."
  }
}

variable "label_policy" {
  description = <<-EOT
    Rules that choose and rename the labels of a photo, of those that Rekognition finds; null stores them unchanged. Names
    are compared without regard to case, and may be aliases. Rekognition's own labels are kept with the photo, so that
    another policy applies to old photos without a call. `rename`: new names by label. `drop` and `drop_categories`:
    labels and categories to leave out. `drop_guesses_about_people`: leave out the labels for gender, age, origin and
    emotion. `only` and `only_categories`: if not empty, leave out all others. `min_confidence`: thresholds by label, in
    percent, instead of min_confidence. `filter_request`: let Rekognition leave these labels out, so that max_labels
    counts only the others; a changed policy then needs new calls.
  EOT
  type = object({
    rename                    = optional(map(string), {})
    drop                      = optional(list(string), [])
    drop_categories           = optional(list(string), [])
    drop_guesses_about_people = optional(bool, false)
    only                      = optional(list(string), [])
    only_categories           = optional(list(string), [])
    min_confidence            = optional(map(number), {})
    filter_request            = optional(bool, false)
  })
  default = null

  validation {
    condition = var.label_policy == null ? true : alltrue([
      for name in concat(
        keys(var.label_policy.rename), values(var.label_policy.rename), var.label_policy.drop, var.label_policy.drop_categories,
        var.label_policy.only, var.label_policy.only_categories, keys(var.label_policy.min_confidence),
      ) : name == null ? false : can(regex("^[^*[:space:][:cntrl:]]([^[:cntrl:]]{0,98}[^[:space:][:cntrl:]])?$", name))
    ])
    error_message = "label_policy must have names of labels and categories of 1 to 100 characters that do not start with * or a space and do not end with a space."
  }

  validation {
    condition     = var.label_policy == null ? true : alltrue([for percent in values(var.label_policy.min_confidence) : percent == null ? false : percent >= 0 && percent <= 100])
    error_message = "label_policy.min_confidence must have values from 0 to 100: Rekognition reports confidence in percent."
  }

  validation {
    condition = var.label_policy == null ? true : length(setintersection(
      [for name in var.label_policy.only : lower(name)], [for name in var.label_policy.drop : lower(name)],
    )) == 0
    error_message = "label_policy must not have the same label in both only and drop."
  }

  validation {
    condition = var.label_policy == null ? true : !var.label_policy.filter_request || max(
      length(var.label_policy.only), length(var.label_policy.only_categories), length(var.label_policy.drop_categories) + 1,
      length(var.label_policy.drop) + (var.label_policy.drop_guesses_about_people ? 19 : 0),
    ) <= 100
    error_message = "label_policy with filter_request must have at most 100 labels in only, 100 categories in only_categories, 99 in drop_categories, and 100 labels in drop (81 with drop_guesses_about_people): Rekognition takes no more in a request."
  }

  validation {
    condition     = var.label_policy == null ? true : length(jsonencode(var.label_policy)) <= 300000
    error_message = "label_policy must have at most 300000 bytes as JSON: a DynamoDB item has at most 400 KB."
  }
}

variable "text" {
  description = <<-EOT
    Whether the function also detects text in photos, so that a search finds the lines; null means no. It calls DetectText
    for each photo that DetectLabels takes, which AWS bills as another image. `min_confidence`: minimum confidence of the
    lines, in percent. `tps`: DetectText calls per second that the module may make, from 1 to 10000; null uses the
    Region's default quota: 50 in us-east-1, us-west-2 and eu-west-1, 5 elsewhere.
  EOT
  type = object({
    min_confidence = optional(number, 80)
    tps            = optional(number)
  })
  default = null

  validation {
    condition     = var.text == null ? true : var.text.min_confidence >= 0 && var.text.min_confidence <= 100
    error_message = "text.min_confidence must be from 0 to 100: Rekognition reports confidence in percent."
  }

  validation {
    condition     = try(var.text.tps, null) == null ? true : var.text.tps >= 1 && var.text.tps <= 10000
    error_message = "text.tps must be null (the Region's default quota) or from 1 to 10000 calls per second: see your quota \"Transactions per second per account for DetectText\" in Service Quotas."
  }
}

variable "faces" {
  description = <<-EOT
    Detection of faces; null detects none. Data about faces is biometric data, and many laws require consent before it is
    collected: read docs/faces.md first. `attributes`: guesses to store with each face: AGE_RANGE, BEARD, EMOTIONS,
    EYE_DIRECTION, EYEGLASSES, EYES_OPEN, FACE_OCCLUDED, GENDER, MOUTH_OPEN, MUSTACHE, SMILE, SUNGLASSES, or ALL. `index`:
    create a face collection and index the faces in it, so that `image-labels faces` finds photos of the same person;
    setting it to false deletes the collection. `max_faces`: maximum number of faces per photo, largest first, from 1 to
    100. `quality_filter`: quality that a face needs to be indexed: NONE, AUTO, LOW, MEDIUM or HIGH. `tps`: calls of
    DetectFaces, or with index of IndexFaces, per second, from 1 to 10000; null uses the Region's default quota:
    DetectFaces 100 in us-east-1, us-west-2 and eu-west-1, 25 elsewhere; IndexFaces 50 and 5.
  EOT
  type = object({
    attributes     = optional(list(string), [])
    index          = optional(bool, false)
    max_faces      = optional(number, 20)
    quality_filter = optional(string, "AUTO")
    tps            = optional(number)
  })
  default = null

  # https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectFaces.html
  validation {
    condition = var.faces == null ? true : alltrue([
      for name in var.faces.attributes : name == null ? false : contains([
        "ALL", "AGE_RANGE", "BEARD", "EMOTIONS", "EYE_DIRECTION", "EYEGLASSES", "EYES_OPEN", "FACE_OCCLUDED", "GENDER",
        "MOUTH_OPEN", "MUSTACHE", "SMILE", "SUNGLASSES",
      ], name)
    ])
    error_message = "faces.attributes must be of ALL, AGE_RANGE, BEARD, EMOTIONS, EYE_DIRECTION, EYEGLASSES, EYES_OPEN, FACE_OCCLUDED, GENDER, MOUTH_OPEN, MUSTACHE, SMILE and SUNGLASSES: Rekognition knows no others. [] stores none of them."
  }

  validation {
    condition     = var.faces == null ? true : contains(["NONE", "AUTO", "LOW", "MEDIUM", "HIGH"], var.faces.quality_filter)
    error_message = "faces.quality_filter must be NONE, AUTO, LOW, MEDIUM or HIGH: IndexFaces knows no others."
  }

  validation {
    condition = var.faces == null ? true : (
      var.faces.max_faces >= 1 && var.faces.max_faces <= 100 && floor(var.faces.max_faces) == var.faces.max_faces
      && (var.faces.tps == null ? true : var.faces.tps >= 1 && var.faces.tps <= 10000)
    )
    error_message = "faces must have a whole number from 1 to 100 as max_faces, because Rekognition detects at most 100 faces in an image, and null (the Region's default quota) or 1 to 10000 calls per second as tps: see your quota \"Transactions per second per account\" of DetectFaces or IndexFaces in Service Quotas."
  }
}

variable "unwanted" {
  description = <<-EOT
    Photos to tag, move to quarantine or delete; null for none. A photo is unwanted if Rekognition finds one of these labels
    in it with min_confidence percent or more, whatever label_policy does with the label. `labels` and `categories`: names
    of labels, aliases, parents and categories, compared without regard to case. `moderation_labels`: labels of
    DetectModerationLabels, of any level; if not empty, each photo is sent to this API as well, which Rekognition bills as a
    further image, at most moderation_tps times per second (null: the Region's default quota). `action`: "tag", "quarantine"
    or "delete". `dry_run`: only record what the action would be. `quarantine_bucket`: null means the bucket of the photos;
    `quarantine_prefix` must then be outside filter_prefix. `tag`: the one tag, as key and value.
  EOT
  type = object({
    labels            = optional(list(string), [])
    categories        = optional(list(string), [])
    moderation_labels = optional(list(string), [])
    min_confidence    = optional(number, 80)
    action            = string
    dry_run           = optional(bool, false)
    quarantine_bucket = optional(string)
    quarantine_prefix = optional(string, "quarantine/")
    tag               = optional(map(string), { image-labels = "unwanted" })
    moderation_tps    = optional(number)
  })
  default = null

  validation {
    condition     = var.unwanted == null ? true : length(concat(var.unwanted.labels, var.unwanted.categories, var.unwanted.moderation_labels)) > 0
    error_message = "unwanted must have at least one name in labels, categories or moderation_labels: without a name it matches no photo. Use null to turn it off."
  }

  validation {
    condition = var.unwanted == null ? true : alltrue([
      for name in concat(var.unwanted.labels, var.unwanted.categories, var.unwanted.moderation_labels) :
      name == null ? false : can(regex("^[^*[:space:][:cntrl:]]([^[:cntrl:]]{0,98}[^[:space:][:cntrl:]])?$", name))
    ])
    error_message = "unwanted must have names of labels and categories of 1 to 100 characters that do not start with * or a space and do not end with a space."
  }

  validation {
    condition     = var.unwanted == null ? true : var.unwanted.min_confidence >= 0 && var.unwanted.min_confidence <= 100
    error_message = "unwanted.min_confidence must be from 0 to 100: Rekognition reports confidence in percent."
  }

  validation {
    condition     = var.unwanted == null ? true : contains(["tag", "quarantine", "delete"], var.unwanted.action)
    error_message = "unwanted.action must be \"tag\", \"quarantine\" or \"delete\"."
  }

  validation {
    condition     = try(var.unwanted.quarantine_bucket, null) == null ? true : can(regex("^[0-9a-z][0-9a-z.-]{1,61}[0-9a-z]$", var.unwanted.quarantine_bucket))
    error_message = "unwanted.quarantine_bucket must be the name of an existing bucket: 3 to 63 lower-case letters, digits, dots and hyphens, not an ARN."
  }

  validation {
    # A copy's key also has the version of the photo, which has 32 characters, and the photo's key.
    condition     = var.unwanted == null ? true : can(regex("^[0-9A-Za-z/!_.'()-]{0,512}$", var.unwanted.quarantine_prefix))
    error_message = "unwanted.quarantine_prefix must have at most 512 letters, digits and / ! - _ . ' ( )."
  }

  validation {
    # A copy under the filter's prefix would be labelled, and moved again. A filter under the quarantine's prefix could match
    # a copy.
    condition = try(var.unwanted.action, "") != "quarantine" || (try(var.unwanted.quarantine_bucket, null) != null && try(var.unwanted.quarantine_bucket, null) != var.bucket_name) ? true : (
      !startswith(var.unwanted.quarantine_prefix, var.filter_prefix) && !startswith(var.filter_prefix, var.unwanted.quarantine_prefix)
    )
    error_message = "unwanted.quarantine_prefix must be outside filter_prefix if the copies are in the bucket of the photos, and filter_prefix outside it: the copies would be labelled, too. With filter_prefix = \"\", set unwanted.quarantine_bucket."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
    condition = try(length(var.unwanted.tag), 1) == 1 && alltrue([
      for key, value in try(var.unwanted.tag, {}) :
      can(regex("^[0-9A-Za-z +=._:/@-]{1,128}$", key)) && !startswith(lower(key), "aws:") && can(regex("^[0-9A-Za-z +=._:/@-]{0,256}$", value))
    ])
    error_message = "unwanted.tag must be one tag: a key of 1 to 128 and a value of at most 256 letters, digits, spaces and + - = . _ : / @, and the key must not start with aws:. S3 allows no other tags of objects."
  }

  validation {
    condition     = try(var.unwanted.moderation_tps, null) == null ? true : var.unwanted.moderation_tps >= 1 && var.unwanted.moderation_tps <= 10000
    error_message = "unwanted.moderation_tps must be from 1 to 10000 calls of DetectModerationLabels per second."
  }

  validation {
    condition     = var.unwanted == null ? true : !try(var.label_policy.filter_request, false)
    error_message = "unwanted must not be set together with label_policy.filter_request: Rekognition would leave out labels that make a photo unwanted."
  }

  validation {
    condition     = var.unwanted == null ? true : length(jsonencode(var.unwanted)) <= 300000
    error_message = "unwanted must have at most 300000 bytes as JSON: a DynamoDB item has at most 400 KB."
  }
}

variable "max_labels" {
  description = <<-EOT
    Maximum number of labels to store per photo, highest confidence first: a whole number from 1 to 1000. It does not
    affect the price.
  EOT
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_labels >= 1 && var.max_labels <= 1000 && floor(var.max_labels) == var.max_labels
    error_message = "max_labels must be a whole number from 1 to 1000: Rekognition returns at most 1000 labels."
  }
}

variable "rekognition_tps" {
  description = <<-EOT
    DetectLabels calls per second that the module may make, from 1 to 10000; with those of other APIs (`text`), they
    determine concurrency and batch size. null uses the Region's default quota: 50 in us-east-1, us-west-2 and eu-west-1, 5 elsewhere.
  EOT
  type        = number
  default     = null

  validation {
    condition     = var.rekognition_tps == null ? true : var.rekognition_tps >= 1 && var.rekognition_tps <= 10000
    error_message = "rekognition_tps must be null (the Region's default quota) or from 1 to 10000 calls per second: see your quota \"Transactions per second per account for DetectLabels\" in Service Quotas."
  }
}

variable "daily_image_limit" {
  description = <<-EOT
    Maximum number of images per day (UTC) to send to Rekognition: a whole number from 1 to 1000000000; photos over the
    limit wait in a separate queue until the next day. null means no limit.
  EOT
  type        = number
  default     = null

  validation {
    condition     = var.daily_image_limit == null ? true : var.daily_image_limit >= 1 && var.daily_image_limit <= 1000000000 && floor(var.daily_image_limit) == var.daily_image_limit
    error_message = "daily_image_limit must be null (no limit) or a whole number of images per day from 1 to 1000000000: with 0 no photo would ever be labelled."
  }
}

variable "enable_batch_operations" {
  description = <<-EOT
    Whether to create a second function and a role for S3 Batch Operations jobs. The second function has 80 % of
    rekognition_tps, and reserves 1.2 times rekognition_tps of the account's Lambda concurrency (2 times with `text`),
    which must leave 100 unreserved.
  EOT
  type        = bool
  default     = false
  nullable    = false

  # A suffix matches such a key if it is the end of its extension, or ends with the extension.
  validation {
    condition = !var.enable_batch_operations || !(startswith("${var.name}-batch/", var.filter_prefix) || startswith(var.filter_prefix, "${var.name}-batch/")) || alltrue(flatten([
      for suffix in var.filter_suffixes : [
        for extension in [".csv", ".csv.gz", ".json", ".md5", ".checksum"] : !endswith(extension, suffix) && !endswith(suffix, extension)
      ]
    ]))
    error_message = "enable_batch_operations must be false if filter_prefix and filter_suffixes match keys such as \"${var.name}-batch/reports/….csv\": S3 Batch Operations writes its manifests and reports there, and the function would label them as photos. Use a filter_prefix, or suffixes of photos."
  }
}

################################################################################
# Encryption
################################################################################

variable "kms_key_arn" {
  description = <<-EOT
    ARN of the KMS key, in the provider's account and Region, for the new bucket, queues, tables and log group; the
    key's policy must include kms_key_policy_json (output). null uses keys that AWS owns, free of charge.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9A-Za-z-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be null or the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>: the role's policy cannot use an alias or a key ID without an ARN."
  }
}

################################################################################
# Function
################################################################################

variable "lambda_runtime" {
  description = "Lambda runtime of the function: python3.11 or newer, if the AWS provider knows it."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3[.](1[1-9]|[2-9][0-9])$", var.lambda_runtime))
    error_message = "lambda_runtime must be python3.11 or newer: the function requires it."
  }
}

variable "lambda_architecture" {
  description = "Processor architecture of the function: arm64 or x86_64. arm64 costs 20 % less."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.lambda_architecture)
    error_message = "lambda_architecture must be arm64 or x86_64: Lambda has no other architectures."
  }
}

variable "lambda_memory_size" {
  description = <<-EOT
    Memory of the function in MB: a whole number from 128 to 10240. Lambda allocates CPU in proportion to memory.
  EOT
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.lambda_memory_size >= 128 && var.lambda_memory_size <= 10240 && floor(var.lambda_memory_size) == var.lambda_memory_size
    error_message = "lambda_memory_size must be a whole number of MB from 128 to 10240: these are Lambda's limits."
  }
}

variable "lambda_timeout" {
  description = <<-EOT
    Timeout of the function in seconds, for a batch of up to 10 photos: a whole number from 1 to 900. The visibility
    timeout of the queue is six times as long.
  EOT
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.lambda_timeout >= 1 && var.lambda_timeout <= 900 && floor(var.lambda_timeout) == var.lambda_timeout
    error_message = "lambda_timeout must be a whole number of seconds from 1 to 900: these are Lambda's limits."
  }
}

variable "lambda_environment_variables" {
  description = <<-EOT
    Additional environment variables of the function: at most 3000 bytes as JSON. Names that the module sets or Lambda
    reserves are refused.
  EOT
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.lambda_environment_variables) : can(regex("^[A-Za-z][0-9A-Za-z_]+$", name))])
    error_message = "lambda_environment_variables must have names of at least two letters, digits and underscores that start with a letter: Lambda allows no other names."
  }

  validation {
    condition = length(setintersection(keys(var.lambda_environment_variables), [
      "BUCKET_NAME", "IMAGES_TABLE_NAME", "LABELS_TABLE_NAME", "MIN_CONFIDENCE", "MAX_LABELS", "CONCURRENCY", "DETECT_LABELS_PER_SECOND",
      "QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "MAX_RECEIVE_COUNT", "RETRY_DELAY_SECONDS", "WAITING_QUEUE_URL", "MAX_QUEUE_BACKLOG", "DAILY_IMAGE_LIMIT",
      "REQUESTED_MIN_CONFIDENCE", "LABEL_POLICY_ID", "TEXT_MIN_CONFIDENCE", "DETECT_TEXT_PER_SECOND",
      "FACES_SETTINGS", "DETECT_FACES_PER_SECOND", "INDEX_FACES_PER_SECOND", "FUNCTION_TIMEOUT",
      "UNWANTED_ID", "REQUESTED_MAX_LABELS", "MODERATION_MIN_CONFIDENCE", "DETECT_MODERATION_LABELS_PER_SECOND",
    ])) == 0
    error_message = "lambda_environment_variables must not set BUCKET_NAME, IMAGES_TABLE_NAME, LABELS_TABLE_NAME, MIN_CONFIDENCE, MAX_LABELS, CONCURRENCY, DETECT_LABELS_PER_SECOND, QUEUE_URL, DEAD_LETTER_QUEUE_URL, MAX_RECEIVE_COUNT, RETRY_DELAY_SECONDS, WAITING_QUEUE_URL, MAX_QUEUE_BACKLOG, DAILY_IMAGE_LIMIT, REQUESTED_MIN_CONFIDENCE, LABEL_POLICY_ID, TEXT_MIN_CONFIDENCE, DETECT_TEXT_PER_SECOND, UNWANTED_ID, REQUESTED_MAX_LABELS, MODERATION_MIN_CONFIDENCE, DETECT_MODERATION_LABELS_PER_SECOND, FACES_SETTINGS, DETECT_FACES_PER_SECOND, INDEX_FACES_PER_SECOND or FUNCTION_TIMEOUT: the module sets them from its own variables."
  }

  validation {
    condition = alltrue([
      for name in keys(var.lambda_environment_variables) : !startswith(name, "AWS_LAMBDA_") && !contains([
        "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
      ], name)
    ])
    error_message = "lambda_environment_variables must not set AWS_LAMBDA_*, AWS_REGION, AWS_DEFAULT_REGION, AWS_EXECUTION_ENV, AWS_ACCESS_KEY(_ID), AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, LAMBDA_TASK_ROOT or LAMBDA_RUNTIME_DIR: Lambda reserves these names."
  }

  validation {
    # length() counts characters, not bytes; base64 encodes every 3 bytes as 4 characters.
    condition     = length(base64encode(jsonencode(var.lambda_environment_variables))) <= 4000
    error_message = "lambda_environment_variables must have at most 3000 bytes as JSON: Lambda allows 4 KB for all variables, and the module's own need up to 1 KB."
  }
}

variable "lambda_package" {
  description = <<-EOT
    Deployment package of the function: either filename, or s3_bucket and s3_key with optional s3_object_version;
    source_code_hash is optional. null uses dist/lambda.zip of the module.
  EOT
  type = object({
    filename          = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
    source_code_hash  = optional(string)
  })
  default = null

  validation {
    condition = var.lambda_package == null ? true : (
      var.lambda_package.filename != null
      ? var.lambda_package.s3_bucket == null && var.lambda_package.s3_key == null && var.lambda_package.s3_object_version == null
      : var.lambda_package.s3_bucket != null && var.lambda_package.s3_key != null
    )
    error_message = "lambda_package must have either filename, or s3_bucket and s3_key (with optional s3_object_version), not both: Lambda takes its code from one place."
  }

  validation {
    condition = alltrue([
      try(var.lambda_package.s3_bucket, null) == null ? true : can(regex("^[0-9A-Za-z._-]{2,62}[0-9A-Za-z_-]$", var.lambda_package.s3_bucket)),
      try(length(var.lambda_package.s3_key) >= 1 && length(var.lambda_package.s3_key) <= 1024, true),
      try(length(var.lambda_package.s3_object_version) >= 1 && length(var.lambda_package.s3_object_version) <= 1024, true),
    ])
    error_message = "lambda_package must have an s3_bucket of 3 to 63 letters, digits and . - _, and an s3_key and s3_object_version of 1 to 1024 characters: Lambda allows no other values."
  }
}

################################################################################
# VPC
################################################################################

variable "vpc_subnet_ids" {
  description = <<-EOT
    IDs of the subnets of the function, at most 16, with routes to S3, DynamoDB, Rekognition and SQS; requires
    vpc_security_group_ids. [] attaches the function to no VPC.
  EOT
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.vpc_subnet_ids) <= 16
    error_message = "vpc_subnet_ids must have at most 16 IDs: Lambda allows no more."
  }

  validation {
    condition     = alltrue([for id in var.vpc_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "vpc_subnet_ids must be IDs of subnets, such as subnet-0123456789abcdef0, not ARNs or names."
  }
}

variable "vpc_security_group_ids" {
  description = <<-EOT
    IDs of the security groups of the function in vpc_subnet_ids, at most 5, all in the same VPC. They must allow
    outbound TCP 443 to the services and need no inbound rule.
  EOT
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.vpc_security_group_ids) <= 5
    error_message = "vpc_security_group_ids must have at most 5 IDs: Lambda allows no more."
  }

  validation {
    condition     = alltrue([for id in var.vpc_security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
    error_message = "vpc_security_group_ids must be IDs of security groups, such as sg-0123456789abcdef0, not ARNs or names."
  }

  validation {
    # Not repeated in vpc_subnet_ids: validations of two variables that refer to each other form a cycle.
    condition     = (length(var.vpc_security_group_ids) == 0) == (length(var.vpc_subnet_ids) == 0)
    error_message = "vpc_security_group_ids must be set together with vpc_subnet_ids: Lambda requires both or neither."
  }
}

################################################################################
# Role
################################################################################

variable "role_path" {
  description = <<-EOT
    IAM path of the function's role: at most 512 characters that start and end with a slash, such as "/application/".
    Changing it replaces the role.
  EOT
  type        = string
  default     = "/"
  nullable    = false

  validation {
    # IAM allows more characters, but Lambda refuses a role whose ARN has them.
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    condition     = length(var.role_path) <= 512 && can(regex("^/([0-9A-Za-z_+=,.@-]+/)*$", var.role_path))
    error_message = "role_path must be / or start and end with a slash, with letters, digits and _ + = , . @ - between slashes, and have at most 512 characters: IAM and Lambda allow no other paths."
  }

  validation {
    condition     = !startswith(var.role_path, "/aws-service-role/")
    error_message = "role_path must not start with /aws-service-role/, which IAM reserves for service-linked roles."
  }
}

variable "role_permissions_boundary" {
  description = "ARN of the policy that is the permissions boundary of the function's role. null sets no boundary."
  type        = string
  default     = null

  validation {
    condition     = var.role_permissions_boundary == null ? true : can(regex("^arn:[a-z0-9-]+:iam::(aws|[0-9]{12}):policy/.+$", var.role_permissions_boundary))
    error_message = "role_permissions_boundary must be null or the ARN of a managed policy, arn:aws:iam::<account>:policy/<name>."
  }
}

################################################################################
# Queue
################################################################################

variable "max_receive_count" {
  description = <<-EOT
    Number of attempts per photo before its event goes to the dead-letter queue: a whole number from 1 to 1000. AWS
    recommends at least 5.
  EOT
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "max_receive_count must be a whole number from 1 to 1000: these are SQS's limits."
  }
}

variable "retry_delay_seconds" {
  description = <<-EOT
    Seconds before the first retry of a failed photo: a whole number from 1 to 900. Each further delay is four times as
    long, up to one hour.
  EOT
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.retry_delay_seconds >= 1 && var.retry_delay_seconds <= 900 && floor(var.retry_delay_seconds) == var.retry_delay_seconds
    error_message = "retry_delay_seconds must be a whole number of seconds from 1 to 900: each further delay is four times as long, up to one hour."
  }
}

################################################################################
# Tables
################################################################################

variable "point_in_time_recovery" {
  description = <<-EOT
    Whether to enable point-in-time recovery of the tables to any second of the last 35 days. AWS bills it by table
    size.
  EOT
  type        = bool
  default     = true
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the tables. To destroy the module, first apply with false."
  type        = bool
  default     = true
  nullable    = false
}

variable "stream_view_type" {
  description = <<-EOT
    What the DynamoDB stream of the images table records of each change: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or
    NEW_AND_OLD_IMAGES. null means no stream. Changing it replaces the stream: consumers must read the new one, whose
    ARN is images_table_stream_arn (output).
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.stream_view_type == null ? true : contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], var.stream_view_type)
    error_message = "stream_view_type must be null, KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES."
  }
}

################################################################################
# Logs
################################################################################

variable "log_retention_in_days" {
  description = <<-EOT
    Days to retain the function's logs: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192,
    2557, 2922, 3288 or 3653. 0 retains them indefinitely.
  EOT
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = contains([
      0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ], var.log_retention_in_days)
    error_message = "log_retention_in_days must be 0 (indefinitely), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653: CloudWatch Logs allows no other values."
  }
}

variable "log_level" {
  description = <<-EOT
    Minimum log level of the function: DEBUG, INFO, WARN, ERROR or FATAL. Above INFO, most metrics and the alarm on
    throttling are missing, and the plan warns.
  EOT
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARN, ERROR or FATAL, in capitals: these are Lambda's log levels."
  }
}

################################################################################
# Alarms and dashboard
################################################################################

variable "alarm_actions" {
  description = <<-EOT
    ARNs of the actions when an alarm changes to ALARM or back to OK, for instance an SNS topic: at most 5, in the
    provider's Region. With [] alarms appear only in the CloudWatch console.
  EOT
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alarm_actions) <= 5
    error_message = "alarm_actions must have at most 5 ARNs: CloudWatch allows no more per alarm."
  }

  validation {
    condition     = alltrue([for arn in var.alarm_actions : can(regex("^arn:[a-z0-9-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$", arn))])
    error_message = "alarm_actions must be ARNs, for instance of an SNS topic, arn:aws:sns:<region>:<account>:<name>."
  }
}

variable "alarm_oldest_message_seconds" {
  description = <<-EOT
    Age of the oldest event in the queue, in seconds, above which the alarm oldest-message fires: a whole number from 60
    to 1209600.
  EOT
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.alarm_oldest_message_seconds >= 60 && var.alarm_oldest_message_seconds <= 1209600 && floor(var.alarm_oldest_message_seconds) == var.alarm_oldest_message_seconds
    error_message = "alarm_oldest_message_seconds must be a whole number of seconds from 60 (SQS publishes the metric once a minute) to 1209600 (SQS retains messages for at most 14 days)."
  }
}

variable "alarm_throttled_percent" {
  description = <<-EOT
    Percentage of attempts that AWS throttles above which the alarm throttled-share fires, after 15 minutes: from 0 to
    100.
  EOT
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.alarm_throttled_percent >= 0 && var.alarm_throttled_percent <= 100
    error_message = "alarm_throttled_percent must be from 0 (any throttling in each of three periods of 5 minutes) to 100 (never): a percentage of attempts."
  }
}

variable "create_dashboard" {
  description = <<-EOT
    Whether to create a CloudWatch dashboard of throughput, failures and cost. It costs $3 a month, unless it is one of
    the first three in the account.
  EOT
  type        = bool
  default     = true
  nullable    = false
}
