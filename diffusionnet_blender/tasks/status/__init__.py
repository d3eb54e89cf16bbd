"""Status of the process that runs the tasks: versions, devices, memory."""
