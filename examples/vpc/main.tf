# The function in a VPC without internet access. VPC endpoints connect it to the four services that it calls.

provider "aws" {
  region = var.region

  # For emulators (AWS_ENDPOINT_URL): the host name <bucket>.localhost does not resolve. AWS accepts path-style requests
  # too.
  s3_use_path_style = true
}

data "aws_region" "current" {}

# Not every Availability Zone has every endpoint.
data "aws_vpc_endpoint_service" "interface" {
  for_each = toset(["rekognition", "sqs"])

  service      = each.key
  service_type = "Interface"
}

locals {
  region = data.aws_region.current.id
  # Two zones, so that the function keeps running if one fails.
  zones = slice(sort(setintersection([for service in data.aws_vpc_endpoint_service.interface : service.availability_zones]...)), 0, 2)
}

################################################################################
# VPC: two private subnets, without an internet gateway
################################################################################

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:flow logs are the account's decision, because of their retention and cost
  cidr_block = var.cidr_block

  # Private DNS for the interface endpoints resolves the services' public host names.
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

resource "aws_subnet" "private" {
  count = length(local.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(var.cidr_block, 4, count.index)

  tags = { Name = "${var.name}-private-${local.zones[count.index]}" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-private" }
}

resource "aws_route_table_association" "private" {
  count = length(aws_subnet.private)

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private.id
}

# The default security group of the VPC: unused, and without rules.
resource "aws_default_security_group" "unused" {
  vpc_id = aws_vpc.this.id
}

################################################################################
# Endpoints
################################################################################

# Gateway endpoints are free of charge.
resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(["s3", "dynamodb"])

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private.id]

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = data.aws_vpc_endpoint_service.interface

  vpc_id              = aws_vpc.this.id
  service_name        = each.value.service_name
  vpc_endpoint_type   = "Interface"
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true

  tags = { Name = "${var.name}-${each.key}" }
}

################################################################################
# Security groups: HTTPS from the function to the endpoints
################################################################################

resource "aws_security_group" "function" {
  name        = "${var.name}-function"
  description = "Function ${var.name}: HTTPS to AWS"
  vpc_id      = aws_vpc.this.id

  # A CIDR block, because two security groups that refer to each other form a cycle.
  egress {
    description = "To the endpoints of Rekognition and SQS"
    cidr_blocks = [aws_vpc.this.cidr_block]
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
  }

  # A gateway endpoint has no security group. Its prefix list contains the service's addresses.
  egress {
    description     = "To S3 and DynamoDB"
    prefix_list_ids = [for endpoint in aws_vpc_endpoint.gateway : endpoint.prefix_list_id]
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
  }

  tags = { Name = "${var.name}-function" }
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Endpoints of Rekognition and SQS: HTTPS from the function ${var.name}"
  vpc_id      = aws_vpc.this.id

  ingress {
    description     = "From the function"
    security_groups = [aws_security_group.function.id]
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
  }

  tags = { Name = "${var.name}-endpoints" }
}

################################################################################
# The module
################################################################################

module "image_labels" {
  source = "../.."

  name = var.name

  vpc_subnet_ids         = aws_subnet.private[*].id
  vpc_security_group_ids = [aws_security_group.function.id]

  # Lets `terraform destroy` remove the example with its photos and labels. Omit both to keep them.
  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Example = "image-labels/vpc"
  }
}
