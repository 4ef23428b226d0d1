"""The two DynamoDB tables: the only package that knows their attributes."""
