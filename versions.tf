# Versions that the module requires. It configures no provider: the caller's `aws` provider sets account and Region.

terraform {
  # 1.9 is the first version in which a validation can refer to other variables.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}
