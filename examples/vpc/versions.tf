terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The module takes newer ones too; this one also gets on with the emulators that need no account.
      version = "~> 5.100"
    }
  }
}
