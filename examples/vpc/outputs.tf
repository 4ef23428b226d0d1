output "image_labels" {
  description = "All outputs of the module. The command image-labels reads them here."
  value       = module.image_labels
}

output "vpc_id" {
  description = "ID of the VPC that the function runs in."
  value       = aws_vpc.this.id
}

output "vpc_endpoint_ids" {
  description = "IDs of the VPC endpoints by service, for instance to name in a bucket policy."
  value       = { for name, endpoint in merge(aws_vpc_endpoint.gateway, aws_vpc_endpoint.interface) : name => endpoint.id }
}
