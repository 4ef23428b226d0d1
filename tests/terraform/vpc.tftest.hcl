# The function in a VPC: subnets, security groups, and exactly the permissions that Lambda needs for them.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

run "none_by_default" {
  assert {
    condition = (
      length(aws_lambda_function.this.vpc_config) == 0
      && length(aws_iam_role_policy.network_interfaces) == 0
      && length(data.aws_iam_policy_document.network_interfaces) == 0
    )
    error_message = "Without subnets the function must be in no VPC, and its role must have no permissions on network interfaces."
  }
}

run "in_a_vpc" {
  variables {
    vpc_subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    vpc_security_group_ids = ["sg-0123456789abcdef0"]
  }

  assert {
    condition = (
      aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"])
      && aws_lambda_function.this.vpc_config[0].security_group_ids == toset(["sg-0123456789abcdef0"])
    )
    error_message = "The function must have the given subnets and security groups."
  }

  assert {
    condition = (
      aws_iam_role_policy.network_interfaces[0].role == aws_iam_role.function.id
      && aws_iam_role_policy.network_interfaces[0].policy == data.aws_iam_policy_document.network_interfaces[0].json
    )
    error_message = "The role must have the policy."
  }

  assert {
    condition = {
      for s in data.aws_iam_policy_document.network_interfaces[0].statement : s.sid => {
        effect     = coalesce(s.effect, "Allow")
        actions    = sort(s.actions)
        resources  = sort(s.resources)
        conditions = { for c in s.condition : c.variable => { test = c.test, values = c.values } }
      }
      } == {
      LetLambdaConnectTheFunctionToTheVpc = {
        effect = "Allow"
        actions = tolist([
          "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
        ])
        resources  = tolist(["*"])
        conditions = {}
      }
      DenyTheFunctionItselfTheSameCalls = {
        effect = "Deny"
        actions = tolist([
          "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
        ])
        resources = tolist(["*"])
        conditions = {
          "lambda:SourceFunctionArn" = {
            test   = "ArnEquals"
            values = tolist(["arn:aws:lambda:eu-west-1:111122223333:function:image-labels"])
          }
        }
      }
    }
    error_message = "Lambda must be allowed to manage network interfaces, and the function's own code must not."
  }
}

# null for a list means the default.
run "null" {
  command = plan

  variables {
    vpc_subnet_ids         = null
    vpc_security_group_ids = null
  }

  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 0
    error_message = "null must mean no VPC."
  }
}
