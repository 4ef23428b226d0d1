"""The SQS queues: messages that failed, and photos that wait for the daily limit."""
