"""Libraries of files: a task on thousands of them, by Dask, resumable and reported.

`items` finds them, `tasks` has what is done with each, `work` does it in a worker, `engine` sends
them there, `records` keeps what is known, `report` shows it, `farm_jobs` hands all of it to a farm.
"""
