"""An emulated Amazon Rekognition: DetectLabels, with the requests, answers and errors of the real service.

`sources` documents where the labels come from.

    provider    LocalStack's provider: reads the photo from LocalStack's S3 and uses the modules below
    validation  checks of the request                         image       checks of the photo, and decoding
    sources     labels from metadata or models                taxonomy    parents, aliases and categories of labels
    detect      the answer from labels and filters            properties  brightness, sharpness, colours
    faults      quota, latency and errors                     admin       HTTP endpoint for their settings
    label_models  names of the models that labels come from
"""
