"""AWS on this machine: LocalStack without Docker, and an emulated Amazon Rekognition.

Nothing in the Terraform module, the function or the command knows about this package; they are pointed at it by
the ordinary `AWS_ENDPOINT_URL`.
"""
