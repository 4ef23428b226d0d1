"""An emulated Amazon Rekognition, with the requests, answers and errors of the real service.

Modules of all operations:

    provider     LocalStack's provider: one path for all operations
    operations   the answers by operation        calls        a call, and what its answer needs
    validation   checks of requests              errors       the service's errors
    s3_photos    photos in LocalStack's S3       image        checks of the photo, and decoding
    inference    what the models are asked       store        face collections, in LocalStack's state
    faults       quota, latency and errors       settings     of `faults`
    admin        HTTP endpoint for the settings, which also names the models (`label_models`)

Modules of some:

    detect       DetectLabels, with `label_request`, `sources` (of labels), `taxonomy`, `properties` and `colors`
    faces        DetectFaces and CompareFaces, with `face_details`, `face_quality`, `dictated_faces`, `similarity`
    face_collections, face_search                collections, and the faces in them; `paging` of lists
    moderation   DetectModerationLabels          text         DetectText
"""
