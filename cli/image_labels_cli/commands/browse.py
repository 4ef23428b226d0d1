"""`image-labels browse`: a web page with the photos and their labels, served on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from image_labels_cli.commands.faces import face_finder
from image_labels_cli.inventory.keys import KeyFilter
from image_labels_cli.invocation import UsageError


def browse(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1. 0 selects a free port.")] = 0,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in your browser, and not only print its address.")
    ] = True,
    upload: Annotated[
        bool, typer.Option("--upload", help="Let the page upload photos; needs uploader_policy_json, too.")
    ] = False,
) -> None:
    """Search and view photos in your browser.

    \b
      image-labels browse
      image-labels browse --port 8080 --no-open
      image-labels browse --upload

    Only this machine can open the page. Ctrl-C stops it.
    """
    # The import loads a web server, which would slow down the start of every other command.
    from image_labels_cli.browse import Access, BrowseError, Queues, serve

    filtered = ("filter_suffixes",) if upload else ()
    deployment, aws = ctx.obj.connect("images_table", "labels_table", "bucket", *filtered)
    uploads = KeyFilter.of(deployment.filter_prefix, deployment.filter_suffixes) if upload else None
    queues = None
    if deployment.queue_url and deployment.dead_letter_queue_url:
        queues = Queues(
            aws.sqs,
            deployment.queue_url,
            deployment.dead_letter_queue_url,
            deployment.waiting_queue_url,
            ctx.obj.command("redrive"),
        )
    access = Access(
        aws.dynamodb,
        aws.s3,
        deployment.images_table,
        deployment.labels_table,
        deployment.bucket,
        aws.labels_by,
        queues,
        uploads,
        face_finder(deployment, aws),
    )
    try:
        serve(access, port=port, open_browser=open_browser)
    except BrowseError as error:
        raise UsageError(str(error)) from None
