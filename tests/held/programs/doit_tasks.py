import io
from doit.cmd_base import TaskLoader2, ModuleTaskLoader
from doit.doit_cmd import DoitMain


def task_a():
    return {"actions": [(print, ["hi"])], "verbosity": 0}


def once():
    import os

    db = f"/tmp/doit{os.getpid()}"
    return DoitMain(ModuleTaskLoader({"task_a": task_a, "DOIT_CONFIG": {"dep_file": db, "reporter": "zero"}})).run(
        ["run", "-s"]
    )
