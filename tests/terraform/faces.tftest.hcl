# Faces: exactly these resources, settings and permissions appear with faces, and with faces.index.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

run "off_by_default" {
  assert {
    condition = (
      length(aws_rekognition_collection.faces) + length(aws_iam_role_policy.faces) + length(data.aws_iam_policy_document.faces) == 0
      && output.face_collection_id == null && output.face_collection_arn == null
      && output.cli_environment["IMAGE_LABELS_FACES_SETTINGS"] == ""
      && length([for name in keys(aws_lambda_function.this.environment[0].variables) : name if strcontains(name, "FACES")]) == 0
    )
    error_message = "Without faces there must be no collection, no permission and no setting for them."
  }

  assert {
    condition = length([
      for s in concat(data.aws_iam_policy_document.reader.statement, data.aws_iam_policy_document.operator.statement) :
      s if length([for action in s.actions : action if startswith(action, "rekognition:")]) > 0
    ]) == 0
    error_message = "Without faces.index users must have no permission for Rekognition."
  }
}

run "detected" {
  variables {
    faces = { attributes = ["SMILE", "AGE_RANGE", "SMILE"], max_faces = 5, tps = 7 }
  }

  assert {
    condition     = length(aws_rekognition_collection.faces) == 0 && output.face_collection_id == null
    error_message = "Without faces.index there must be no collection."
  }

  assert {
    condition = (
      [for s in data.aws_iam_policy_document.faces[0].statement : s.actions] == [toset(["rekognition:DetectFaces"])]
      && [for s in data.aws_iam_policy_document.faces[0].statement : s.resources] == [toset(["*"])]
      && aws_iam_role_policy.faces[0].role == aws_iam_role.function.id
    )
    error_message = "The function may only detect faces."
  }

  assert {
    condition = {
      for name, value in aws_lambda_function.this.environment[0].variables : name => value if strcontains(name, "FACES")
      } == {
      FACES_SETTINGS          = "attributes=AGE_RANGE,SMILE+max=5"
      DETECT_FACES_PER_SECOND = "3.5000"
    }
    error_message = "The function must get the attributes, each once, the number of faces, and its part of the quota."
  }
}

run "indexed" {
  variables {
    faces                   = { index = true }
    enable_batch_operations = true
    tags                    = { Team = "media" }
  }

  override_resource {
    target = aws_rekognition_collection.faces
    values = { arn = "arn:aws:rekognition:eu-west-1:111122223333:collection/image-labels-faces" }
  }

  assert {
    condition = (
      output.face_collection_id == "image-labels-faces"
      && output.face_collection_arn == "arn:aws:rekognition:eu-west-1:111122223333:collection/image-labels-faces"
      && output.cli_environment["IMAGE_LABELS_FACES_SETTINGS"] == aws_lambda_function.this.environment[0].variables["FACES_SETTINGS"]
      && aws_rekognition_collection.faces[0].tags == tomap({ Team = "media" })
    )
    error_message = "There must be a collection, which the outputs name."
  }

  assert {
    condition = (
      [for s in data.aws_iam_policy_document.faces[0].statement : s.actions] == [toset(["rekognition:IndexFaces", "rekognition:DeleteFaces", "rekognition:ListFaces"])]
      && [for s in data.aws_iam_policy_document.faces[0].statement : s.resources] == [toset([output.face_collection_arn])]
    )
    error_message = "The function may index, list and delete the faces of the collection, and nothing else."
  }

  assert {
    condition = {
      for s in concat(data.aws_iam_policy_document.reader.statement, data.aws_iam_policy_document.operator.statement) :
      s.sid => s.actions if s.resources == toset([output.face_collection_arn])
      } == {
      FindPhotosOfThePerson = toset(["rekognition:SearchFaces", "rekognition:SearchFacesByImage"])
      CompareFacesWithItems = toset(["rekognition:ListFaces"])
    }
    error_message = "Readers may search the collection, and operators may list it."
  }

  assert {
    condition = alltrue([
      for function in [aws_lambda_function.this, aws_lambda_function.batch[0]] :
      function.environment[0].variables["FACES_SETTINGS"] == "attributes=+max=20+collection=image-labels-faces+quality=AUTO"
      && function.environment[0].variables["FUNCTION_TIMEOUT"] == tostring(function.timeout)
      && contains(keys(function.environment[0].variables), "INDEX_FACES_PER_SECOND")
    ])
    error_message = "Both functions must get the collection, the settings of the faces, and a part of the quota of IndexFaces."
  }
}
