# What this module needs. It configures no provider: the caller's `aws` provider says which account and Region.

terraform {
  # 1.9 is the first version in which a validation may look at another variable.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}
