"""AWS on this machine: LocalStack without Docker, and an emulated Amazon Rekognition.

The Terraform module, the function and the command use it through `AWS_ENDPOINT_URL`, and contain no code for it.
"""
