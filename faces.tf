# Faces (var.faces): the collection that photos' faces are indexed in, and the function's permissions for them. docs/faces.md
# has what to consider before this is enabled.

locals {
  indexes_faces = try(var.faces.index, false)
  faces_api     = local.indexes_faces ? "IndexFaces" : "DetectFaces"

  face_collection_id = "${var.name}-faces"

  face_attributes = [
    "AGE_RANGE", "BEARD", "EMOTIONS", "EYE_DIRECTION", "EYEGLASSES", "EYES_OPEN", "FACE_OCCLUDED", "GENDER", "MOUTH_OPEN",
    "MUSTACHE", "SMILE", "SUNGLASSES",
  ]
  chosen_attributes = var.faces == null ? [] : contains(var.faces.attributes, "ALL") ? local.face_attributes : sort(distinct(var.faces.attributes))

  # The text that an item has in its Settings: see FacesAsked in lambda_src/image_labels/detectors/faces.py.
  faces_settings = var.faces == null ? "" : join("+", concat(
    ["attributes=${join(",", local.chosen_attributes)}", "max=${var.faces.max_faces}"],
    local.indexes_faces ? ["collection=${local.face_collection_id}", "quality=${var.faces.quality_filter}"] : [],
  ))

  faces_environment = var.faces == null ? {} : merge(
    { FACES_SETTINGS = local.faces_settings },
    # How long another worker may take that indexes the faces of the same photo.
    local.indexes_faces ? { FUNCTION_TIMEOUT = tostring(var.lambda_timeout) } : {},
  )
}

# Rekognition encrypts face vectors with a key of AWS: CreateCollection takes no KMS key.
resource "aws_rekognition_collection" "faces" {
  count = local.indexes_faces ? 1 : 0

  collection_id = local.face_collection_id

  tags = var.tags
}

resource "aws_iam_role_policy" "faces" {
  count = var.faces == null ? 0 : 1

  name   = "detect-faces"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.faces[0].json
}

data "aws_iam_policy_document" "faces" {
  count = var.faces == null ? 0 : 1

  # DetectFaces has no resource type: IAM accepts only "*".
  dynamic "statement" {
    for_each = local.indexes_faces ? [] : ["*"]

    content {
      sid       = "DetectFacesInPhotos"
      actions   = ["rekognition:DetectFaces"]
      resources = [statement.value]
    }
  }

  # ListFaces finds the faces of a call whose answer was lost.
  dynamic "statement" {
    for_each = aws_rekognition_collection.faces

    content {
      sid       = "KeepFacesOfPhotosInTheCollection"
      actions   = ["rekognition:IndexFaces", "rekognition:DeleteFaces", "rekognition:ListFaces"]
      resources = [statement.value.arn]
    }
  }
}
