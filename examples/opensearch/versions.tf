terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The module supports newer versions too. This one also works with emulators that need no AWS account.
      version = "~> 5.100"
    }
  }
}
