"""Tasks, from request to result: segmentation, matching, transfer, classification, training."""
