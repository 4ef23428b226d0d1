# What a caller may choose. What AWS would refuse minutes into an apply is refused here, with what is allowed and why.

################################################################################
# Names
################################################################################

variable "name" {
  description = <<-EOT
    Name of the function, and what the names of all other resources start with. 3 to 36 lower-case letters, digits and
    hyphens; two copies of the module in one account and Region need two names. Another name later is everything anew:
    tables, queues, and a bucket without bucket_name.
  EOT
  type        = string
  default     = "image-labels"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,34}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 36 lower-case letters, digits and hyphens, with a letter or digit at both ends: the bucket's name starts with it, and S3 allows no more."
  }

  validation {
    condition     = alltrue([for start in ["xn--", "sthree-", "amzn-s3-demo-"] : !startswith(var.name, start)])
    error_message = "name must not start with xn--, sthree- or amzn-s3-demo-: S3 keeps these for itself, and the bucket's name starts with it."
  }
}

variable "tags" {
  description = <<-EOT
    Tags for every resource that can have some, besides the provider's default_tags; 50 at most together. Names of 1 to 128
    and values of up to 256 letters, digits, spaces and _ . : / = + - @. No two names may differ in case alone, since IAM
    takes them for one.
  EOT
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 50
    error_message = "tags must be 50 at most: AWS takes no more for a resource."
  }

  # The narrowest rule of the services used, that of IAM and CloudWatch Logs. DynamoDB's guide leaves @ out, its API does not.
  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
  validation {
    condition     = alltrue([for key in keys(var.tags) : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key))])
    error_message = "tags must have names of 1 to 128 letters, digits, spaces and _ . : / = + - @: IAM takes no others."
  }

  validation {
    condition     = alltrue([for value in values(var.tags) : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value))])
    error_message = "tags must have values of at most 256 letters, digits, spaces and _ . : / = + - @: IAM takes no others, a line break or a comma among them. null is no value; \"\" is."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "tags must not have names that start with aws:, which AWS keeps for its own."
  }

  validation {
    condition     = length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags)
    error_message = "tags must not have names that differ in case alone, such as Team and team: IAM takes them for one and refuses both."
  }
}

################################################################################
# Bucket
################################################################################

variable "create_bucket" {
  description = <<-EOT
    Whether to make the bucket. With false the module watches the existing bucket bucket_name, which must be in the
    provider's account and Region, and leaves its policy, encryption, versioning and lifecycle as they are. See trigger
    for its event notifications.
  EOT
  type        = bool
  default     = true
  nullable    = false
}

variable "bucket_name" {
  description = <<-EOT
    Name of the bucket. null makes a new one whose name starts with `name` and ends in a random part; with
    create_bucket = false it must be the name of the existing bucket: if the same configuration makes that bucket, give
    its `id`, so that it is looked up only once it is there.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be null or 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends: S3's rule for names."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    condition = var.bucket_name == null ? true : alltrue(concat(
      [!strcontains(var.bucket_name, ".."), !can(regex("^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$", var.bucket_name))],
      [for start in ["xn--", "sthree-", "amzn-s3-demo-"] : !startswith(var.bucket_name, start)],
      [for end in ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"] : !endswith(var.bucket_name, end)],
    ))
    error_message = "bucket_name must not have two dots in a row, look like an IP address, start with xn--, sthree- or amzn-s3-demo-, or end with -s3alias, --ol-s3, .mrap, --x-s3 or --table-s3: S3 keeps these for itself."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
    condition     = !(var.create_bucket && endswith(coalesce(var.bucket_name, "-"), "-an"))
    error_message = "bucket_name must not end with -an for a new bucket: S3 keeps that for buckets in an account's regional namespace, which the module does not make. Make the bucket yourself and set create_bucket = false."
  }

  validation {
    condition     = var.create_bucket || var.bucket_name != null
    error_message = "bucket_name must name the existing bucket when create_bucket is false."
  }
}

variable "bucket_force_destroy" {
  description = "Whether `terraform destroy` deletes the new bucket together with the photos in it. With false it stops at a bucket that is not empty."
  type        = bool
  default     = false
  nullable    = false
}

variable "bucket_versioning" {
  description = <<-EOT
    Whether the new bucket keeps old versions of photos. With versions the function labels exactly the version it
    looked at, and a photo deleted by mistake can be brought back. S3 can suspend versioning but never undo it.
  EOT
  type        = bool
  default     = true
  nullable    = false
}

variable "bucket_noncurrent_version_days" {
  description = "Days after which the new bucket deletes a version that has been replaced or deleted; a whole number from 1 to 2147483647. null keeps such versions for ever."
  type        = number
  default     = 30

  validation {
    condition = var.bucket_noncurrent_version_days == null ? true : (
      var.bucket_noncurrent_version_days >= 1 && var.bucket_noncurrent_version_days <= 2147483647
      && floor(var.bucket_noncurrent_version_days) == var.bucket_noncurrent_version_days
    )
    error_message = "bucket_noncurrent_version_days must be null (keep) or a whole number of days from 1 to 2147483647: S3's lifecycle rules count in days."
  }
}

################################################################################
# Which objects are photos, and who tells of them
################################################################################

variable "trigger" {
  description = <<-EOT
    Who tells of photos that come and go:
    - "s3": the bucket's own event notifications. S3 keeps one set of them for each bucket: those that an existing bucket
      has are REPLACED, and two copies of the module on one bucket replace each other's.
    - "eventbridge": rules on the account's default event bus; nothing of an existing bucket's is written. Its owner
      must have switched EventBridge on for it, once. For buckets of others, and for several copies of the module on one
      bucket.
    S3 begins to send events some five minutes after EventBridge is switched on for a bucket, a new bucket of the module's
    (create_bucket = true) included. Photos uploaded before are not seen, and nothing tells of them: upload them again, or
    have S3 Batch Operations invoke the function for them. The same holds for a change of trigger. Away from "s3", an
    existing bucket is left without any notifications: switch EventBridge on again.
  EOT
  type        = string
  default     = "s3"
  nullable    = false

  validation {
    condition     = contains(["s3", "eventbridge"], var.trigger)
    error_message = "trigger must be \"s3\" (the bucket's event notifications, which the module then owns) or \"eventbridge\" (rules on the default event bus, which leave an existing bucket's notifications alone)."
  }
}

variable "filter_prefix" {
  description = <<-EOT
    Only objects whose key starts with this are labelled; "" means all. Also limits what the function may read. Letters,
    digits and / ! - _ . ' ( ) only. Case-sensitive; keys rarely start with a slash, so "images/", not "/images/".
  EOT
  type        = string
  default     = "images/"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z/!_.'()-]{0,512}$", var.filter_prefix))
    error_message = "filter_prefix must be at most 512 letters, digits and / ! - _ . ' ( ): S3 wants other characters percent-encoded in a filter, where the function's policy wants them plain, and * ? $ are patterns in a policy."
  }
}

variable "filter_suffixes" {
  description = <<-EOT
    Only objects whose key ends with one of these are labelled. 1 to 100 suffixes, case-sensitive, letters, digits and
    / ! - _ . ' ( ) only; none may be the end of another. [""] means every object under the prefix. With
    trigger = "eventbridge" and a prefix 90 at most: three are a rule with wildcards, of which an event bus takes 30.
  EOT
  type        = set(string)
  default     = [".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"]
  nullable    = false

  validation {
    condition     = length(var.filter_suffixes) >= 1 && length(var.filter_suffixes) <= 100
    error_message = "filter_suffixes must have 1 to 100 suffixes: each is a notification of the bucket, which can have 100. [\"\"] means every object under the prefix."
  }

  validation {
    condition     = alltrue([for suffix in var.filter_suffixes : can(regex("^[0-9A-Za-z/!_.'()-]{0,128}$", suffix))])
    error_message = "filter_suffixes must each be at most 128 letters, digits and / ! - _ . ' ( ): S3 takes no * in a filter and wants other characters percent-encoded."
  }

  validation {
    condition = alltrue(flatten([
      for one in var.filter_suffixes : [for other in var.filter_suffixes : one == other || !endswith(one, other)]
    ]))
    error_message = "filter_suffixes must not overlap, as \".jpg\" and \"photo.jpg\" do: S3 refuses two notifications that could both be meant by one key."
  }
}

################################################################################
# Labels
################################################################################

variable "min_confidence" {
  description = "Lowest confidence of a label that is kept, in percent, 0 to 100."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.min_confidence >= 0 && var.min_confidence <= 100
    error_message = "min_confidence must be from 0 to 100: Rekognition counts it in percent."
  }
}

variable "max_labels" {
  description = "Most labels of one photo that are kept, those of highest confidence; a whole number from 1 to 1000. It does not change the price."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_labels >= 1 && var.max_labels <= 1000 && floor(var.max_labels) == var.max_labels
    error_message = "max_labels must be a whole number from 1 to 1000: Rekognition gives no more than 1000 labels."
  }
}

variable "rekognition_tps" {
  description = <<-EOT
    Calls of DetectLabels per second that the module may make, from 1; it sizes how many photos are in work at a time.
    null means the Region's default quota: 50 in us-east-1, us-west-2 and eu-west-1, 5 elsewhere. Set it if your quota
    was raised, or lower if other programs in the account call DetectLabels too: beyond the quota Rekognition throttles.
    In a Region that this version of the module does not know to have DetectLabels, the plan is refused unless this is set.
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
    Most images a day (UTC) that Rekognition is asked about, and paid for; a whole number from 1. Past it photos wait in a
    queue of their own, an alarm says so, and they are labelled when the day is over or the limit is raised. Deletions
    are followed all the same. null means no limit.
  EOT
  type        = number
  default     = null

  validation {
    condition     = var.daily_image_limit == null ? true : var.daily_image_limit >= 1 && var.daily_image_limit <= 1000000000 && floor(var.daily_image_limit) == var.daily_image_limit
    error_message = "daily_image_limit must be null (no limit) or a whole number from 1 to 1000000000: images a day. With 0 nothing would ever be labelled."
  }
}

################################################################################
# Encryption
################################################################################

variable "kms_key_arn" {
  description = <<-EOT
    ARN of the KMS key for the new bucket, the queues, the tables and the log group; in this account and Region. null means
    keys that AWS keeps and does not charge for. For a key that the same configuration makes, pass
    format("%s", aws_kms_key.<name>.arn): the plan must know that there is a key before it knows the ARN. The key's policy
    must have the statements in the output kms_key_policy_json before anything is made under the key (examples/kms shows
    how). With a key use an AWS provider before 6.22 or from 6.40: the versions between show a change of the bucket's
    encryption in every plan, and each apply lifts S3's block on SSE-C. The module gives the function's
    role kms:Decrypt and kms:GenerateDataKey on it; whoever applies needs kms:CreateGrant and kms:DescribeKey, for the
    tables. A bucket that exists already may have a key of its own, which the role (output lambda_role_name) must then be
    admitted to by you. After a change, photos and queued messages stay under the old key: keep it, and admit the role to
    it, as long as there are any.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9A-Za-z-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be null or the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>: an alias or a bare id cannot be named in the role's policy."
  }
}

################################################################################
# Function
################################################################################

variable "lambda_runtime" {
  description = "Lambda runtime: python3.11 or newer. Which is the newest depends on the version of the aws provider; 5.100 knows python3.13."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3[.](1[1-9]|[2-9][0-9])$", var.lambda_runtime))
    error_message = "lambda_runtime must be python3.11 or newer: the function is written for it."
  }
}

variable "lambda_architecture" {
  description = "Processor of the function: arm64 or x86_64. arm64 costs a fifth less; the function runs on either."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.lambda_architecture)
    error_message = "lambda_architecture must be arm64 or x86_64: Lambda has no other."
  }
}

variable "lambda_memory_size" {
  description = <<-EOT
    Memory of the function in MB, a whole number from 128 to 10240. Lambda gives processor time in proportion. The
    function waits nearly all its time; what it computes is its start, which 512 shortens at a cost that is under a
    hundredth of Rekognition's.
  EOT
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.lambda_memory_size >= 128 && var.lambda_memory_size <= 10240 && floor(var.lambda_memory_size) == var.lambda_memory_size
    error_message = "lambda_memory_size must be a whole number of MB from 128 to 10240: Lambda's limits."
  }
}

variable "lambda_timeout" {
  description = "Longest time for a batch of up to 10 photos, in seconds, a whole number from 1 to 900. The queue hides a message for six times as long: a batch whose function died comes back after that time."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.lambda_timeout >= 1 && var.lambda_timeout <= 900 && floor(var.lambda_timeout) == var.lambda_timeout
    error_message = "lambda_timeout must be a whole number of seconds from 1 to 900: Lambda's limits."
  }
}

variable "lambda_environment_variables" {
  description = <<-EOT
    Environment variables for the function besides its own, for instance AWS_USE_FIPS_ENDPOINT = "true" for endpoints
    validated under FIPS 140, which us-east-1, us-east-2, us-west-1, us-west-2, ca-central-1 and us-gov-west-1 have for all
    services that the function calls. Neither the function's own names nor Lambda's reserved ones; at most 3,000 bytes,
    written as JSON.
  EOT
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.lambda_environment_variables) : can(regex("^[A-Za-z][0-9A-Za-z_]+$", name))])
    error_message = "lambda_environment_variables must have names of two or more letters, digits and underscores that start with a letter: Lambda takes no others."
  }

  validation {
    condition = length(setintersection(keys(var.lambda_environment_variables), [
      "BUCKET_NAME", "IMAGES_TABLE_NAME", "LABELS_TABLE_NAME", "MIN_CONFIDENCE", "MAX_LABELS", "CONCURRENCY", "DETECT_LABELS_PER_SECOND",
      "QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "MAX_RECEIVE_COUNT", "RETRY_DELAY_SECONDS", "WAITING_QUEUE_URL", "MOVE_AHEAD", "DAILY_IMAGE_LIMIT",
    ])) == 0
    error_message = "lambda_environment_variables must not set BUCKET_NAME, IMAGES_TABLE_NAME, LABELS_TABLE_NAME, MIN_CONFIDENCE, MAX_LABELS, CONCURRENCY, DETECT_LABELS_PER_SECOND, QUEUE_URL, DEAD_LETTER_QUEUE_URL, MAX_RECEIVE_COUNT, RETRY_DELAY_SECONDS, WAITING_QUEUE_URL, MOVE_AHEAD or DAILY_IMAGE_LIMIT: the module sets them, from its own variables."
  }

  validation {
    condition = alltrue([
      for name in keys(var.lambda_environment_variables) : !startswith(name, "AWS_LAMBDA_") && !contains([
        "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
      ], name)
    ])
    error_message = "lambda_environment_variables must not set AWS_LAMBDA_*, AWS_REGION, AWS_DEFAULT_REGION, AWS_EXECUTION_ENV, AWS_ACCESS_KEY(_ID), AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, LAMBDA_TASK_ROOT or LAMBDA_RUNTIME_DIR: Lambda sets them itself and refuses them."
  }

  validation {
    # Terraform counts characters; base64 makes 4 of every 3 bytes.
    condition     = length(base64encode(jsonencode(var.lambda_environment_variables))) <= 4000
    error_message = "lambda_environment_variables must have at most 3000 bytes, written as JSON: Lambda allows 4 KB for all variables, and the function's own need up to 1 KB of it."
  }
}

variable "lambda_package" {
  description = <<-EOT
    Where the function's zip is. null means dist/lambda.zip in the module itself. Either a file or an object in S3:
    - filename: path of a zip on the machine that applies.
    - s3_bucket, s3_key: a zip in a bucket in the function's Region.
    - s3_object_version: the version of that object. Without it or source_code_hash a new zip under the same key goes
      unnoticed.
    - source_code_hash: base64 of the zip's SHA-256; for a file it is computed if not given.
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
    error_message = "lambda_package must have either filename, or s3_bucket and s3_key (and s3_object_version if you like), not both: Lambda takes its code from one place."
  }

  validation {
    condition = alltrue([
      try(var.lambda_package.s3_bucket, null) == null ? true : can(regex("^[0-9A-Za-z._-]{2,62}[0-9A-Za-z_-]$", var.lambda_package.s3_bucket)),
      try(length(var.lambda_package.s3_key) >= 1 && length(var.lambda_package.s3_key) <= 1024, true),
      try(length(var.lambda_package.s3_object_version) >= 1 && length(var.lambda_package.s3_object_version) <= 1024, true),
    ])
    error_message = "lambda_package must have an s3_bucket of 3 to 63 letters, digits and . - _, and an s3_key and s3_object_version of 1 to 1024 characters: Lambda takes no others."
  }
}

################################################################################
# Network
################################################################################

variable "vpc_subnet_ids" {
  description = <<-EOT
    IDs of the subnets that the function runs in, 16 at most; [] runs it in Lambda's own network. The subnets need ways to
    S3 and DynamoDB (gateway endpoints), and to Rekognition and SQS (interface endpoints), or to all of them by a NAT
    gateway: without one, each photo fails until it is a dead letter. examples/vpc makes the endpoints. Needs
    vpc_security_group_ids.
  EOT
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.vpc_subnet_ids) <= 16
    error_message = "vpc_subnet_ids must have 16 IDs at most: Lambda takes no more."
  }

  validation {
    condition     = alltrue([for id in var.vpc_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "vpc_subnet_ids must be IDs of subnets, such as subnet-0123456789abcdef0, not ARNs or names."
  }
}

variable "vpc_security_group_ids" {
  description = <<-EOT
    IDs of the security groups of the function in vpc_subnet_ids, 5 at most, of the same VPC. They must let out TCP 443 to
    the services; nothing need come in. A destroy waits until Lambda has taken its network interfaces out of them, which
    takes 20 to 45 minutes.
  EOT
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.vpc_security_group_ids) <= 5
    error_message = "vpc_security_group_ids must have 5 IDs at most: Lambda takes no more."
  }

  validation {
    condition     = alltrue([for id in var.vpc_security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
    error_message = "vpc_security_group_ids must be IDs of security groups, such as sg-0123456789abcdef0, not ARNs or names."
  }

  validation {
    # Not in vpc_subnet_ids as well: two variables whose rules name each other are a cycle to Terraform.
    condition     = (length(var.vpc_security_group_ids) == 0) == (length(var.vpc_subnet_ids) == 0)
    error_message = "vpc_security_group_ids must be set together with vpc_subnet_ids: Lambda takes both or neither."
  }
}

################################################################################
# Role
################################################################################

variable "role_path" {
  description = <<-EOT
    Path of the function's role, where your account demands one, such as "/application/". It begins and ends with a slash and
    has letters, digits and _ + = , . @ - between slashes; 512 characters at most. A change replaces the role.
  EOT
  type        = string
  default     = "/"
  nullable    = false

  validation {
    # IAM takes more characters, but Lambda does not take a role whose ARN has them.
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    condition     = length(var.role_path) <= 512 && can(regex("^/([0-9A-Za-z_+=,.@-]+/)*$", var.role_path))
    error_message = "role_path must be / or begin and end with a slash, with letters, digits and _ + = , . @ - between slashes, and have 512 characters at most: IAM and Lambda take no others."
  }

  validation {
    condition     = !startswith(var.role_path, "/aws-service-role/")
    error_message = "role_path must not start with /aws-service-role/, which IAM keeps for service-linked roles."
  }
}

variable "role_permissions_boundary" {
  description = "ARN of the policy that bounds what the function's role may be allowed, where your account demands one. null means none."
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
  description = "How many times a photo is tried before its event goes to the dead-letter queue; a whole number from 1 to 1000. AWS advises 5 or more, so that a passing fault does not fill that queue."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "max_receive_count must be a whole number from 1 to 1000: SQS's limits."
  }
}

variable "retry_delay_seconds" {
  description = "Seconds until a photo that failed is tried again, a whole number from 1 to 900; each further wait is four times as long, an hour at most. With 20 and five tries, a fault of AWS may last 28 minutes before photos go to the dead-letter queue."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.retry_delay_seconds >= 1 && var.retry_delay_seconds <= 900 && floor(var.retry_delay_seconds) == var.retry_delay_seconds
    error_message = "retry_delay_seconds must be a whole number from 1 to 900: SQS counts in seconds, and further waits grow from it to an hour."
  }
}

################################################################################
# Table
################################################################################

variable "point_in_time_recovery" {
  description = "Whether the tables can be restored to any second of the last 35 days. It is billed by the size of the tables."
  type        = bool
  default     = true
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the tables. On by default, since its labels were paid for one by one; to destroy the module, apply once with false first."
  type        = bool
  default     = true
  nullable    = false
}

################################################################################
# Logs
################################################################################

variable "log_retention_in_days" {
  description = "Days that the function's log lines are kept: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653; 0 keeps them for ever."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = contains([
      0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ], var.log_retention_in_days)
    error_message = "log_retention_in_days must be 0 (for ever), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653: CloudWatch Logs takes no others."
  }
}

variable "log_level" {
  description = "Least level of the function's log lines that are kept: DEBUG, INFO, WARN, ERROR or FATAL. Most metrics are counted from lines of INFO: above that the plan warns, the dashboard shows only what fails, and there is no alarm on throttling."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARN, ERROR or FATAL, in capitals: Lambda's names for the levels."
  }
}

################################################################################
# Alarms and dashboard
################################################################################

variable "alarm_actions" {
  description = "ARNs of what is told when an alarm rings and when it is over, for instance an SNS topic; 5 at most. A topic under a KMS key must admit cloudwatch.amazonaws.com to it. With none, alarms show in the CloudWatch console only."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alarm_actions) <= 5
    error_message = "alarm_actions must have 5 ARNs at most: CloudWatch takes no more for an alarm."
  }

  validation {
    condition     = alltrue([for arn in var.alarm_actions : can(regex("^arn:[a-z0-9-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$", arn))])
    error_message = "alarm_actions must be ARNs, for instance of an SNS topic, arn:aws:sns:<region>:<account>:<name>."
  }
}

variable "alarm_oldest_message_seconds" {
  description = "Age of the oldest event in the queue, in seconds, above which an alarm says that labelling does not keep up; a whole number from 60 to 1209600. The default is longer than the tries of a photo that keeps failing take."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.alarm_oldest_message_seconds >= 60 && var.alarm_oldest_message_seconds <= 1209600 && floor(var.alarm_oldest_message_seconds) == var.alarm_oldest_message_seconds
    error_message = "alarm_oldest_message_seconds must be a whole number from 60 (SQS measures once a minute) to 1209600 (it keeps messages no longer than 14 days)."
  }
}

variable "alarm_throttled_percent" {
  description = "Share of tries that AWS throttles, in percent, above which an alarm rings if it stays there for a quarter of an hour; 0 to 100."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.alarm_throttled_percent >= 0 && var.alarm_throttled_percent <= 100
    error_message = "alarm_throttled_percent must be from 0 (any in each of three periods of 5 minutes) to 100 (never): a share of the tries in percent."
  }
}

variable "create_dashboard" {
  description = "Whether to make a CloudWatch dashboard that shows whether labelling keeps up, what fails, and what it costs. Beyond the account's first three, a dashboard costs $3 a month."
  type        = bool
  default     = true
  nullable    = false
}
