"""An emulated Amazon Rekognition: DetectLabels, with the real one's request, answer and errors.

It does not look at what a photo shows unless an ONNX classifier is named; `sources` says where the labels come from.

    provider    LocalStack's side: reads the photo from LocalStack's S3, puts the parts below together
    validation  the request as the service checks it          image       the photo as the service checks it
    sources     labels from metadata, a classifier, a name    taxonomy    parents, aliases and categories of labels
    detect      labels and filters to the answer              properties  brightness, sharpness, colours from pixels
    faults      quota, latency and failures, settable         admin       their settings over HTTP
"""
