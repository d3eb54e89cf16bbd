"""Status of the process that computes: versions, devices, memory."""
