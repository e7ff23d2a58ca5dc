"""Which modules of the performance suite can see a fault: measuring takes minutes where a part is slow."""

from __future__ import annotations

PERFORMANCE = "acceptance/performance"
API_TIMES = f"{PERFORMANCE}/test_api_response_times.py"
DATABASE_TIMES = f"{PERFORMANCE}/test_database_performance.py"
EXTERNAL_TIMES = f"{PERFORMANCE}/test_external_response_times.py"
WORKER_TIMES = f"{PERFORMANCE}/test_worker_processing_times.py"
MEASURED_IN: dict[str, tuple[str, ...]] = {
    "F18": (f"{PERFORMANCE}/test_load_smoke.py", DATABASE_TIMES),
    "F27": (DATABASE_TIMES,),
    "F30": (EXTERNAL_TIMES, WORKER_TIMES),
    "F31": (f"{PERFORMANCE}/test_regression.py",),
    "G25": (API_TIMES,),
    "G28": (API_TIMES,),
    "G29": (API_TIMES,),
    "G36": (EXTERNAL_TIMES,),
    "G37": (EXTERNAL_TIMES,),
    "G38": (EXTERNAL_TIMES,),
    "G39": (DATABASE_TIMES,),
}
