"""Moves dead letters back to the queue of photos, so that none is lost wherever it stops.

A message is deleted from the dead-letter queue only after SQS has confirmed that it is in the queue of photos. A
failure between the two leaves it in both queues, which is harmless: the reconciler finds the photo settled.

Both passes over the queue, the survey and the move, receive each message once and hide it for a while. The survey keeps
no messages, so that the memory does not grow with the queue, and nothing is hidden while the operator decides.
"""
