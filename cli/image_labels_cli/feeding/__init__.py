"""Sends photos that are in the bucket already to the function, and follows them until they are done.

`selection` has the photos to send, and `pending` those that were sent, both in temporary files. `preview` says what
they cost. `run` sends them no faster than `room` allows, and asks `follower` what happened to them. `inspection` looks
for those that the table does not answer for: failed ones and deleted ones.

Memory holds a page of each, however many photos there are. Nothing about a run is stored: the next one starts from the
bucket and the table, so it leaves out what is done.
"""
