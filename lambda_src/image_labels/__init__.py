"""Amazon Rekognition labels for the photos of an S3 bucket, kept in DynamoDB."""
