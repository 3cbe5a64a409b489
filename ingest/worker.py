"""`python -m agnes_stats.ingest.worker`: a worker process of the ingester; see `work.py`."""

from .work import serve

if __name__ == "__main__":
    serve()
