# The harness for machines that have only containers: gate, load and sweep, as a user without rights.
FROM python:3.11.11-slim-bookworm

RUN useradd --create-home --uid 10001 gate
WORKDIR /gate
COPY --chown=gate:gate pyproject.toml README.md LICENSE conftest.py ./
COPY --chown=gate:gate requirements requirements
COPY --chown=gate:gate acceptance acceptance
COPY --chown=gate:gate fixtures fixtures
COPY --chown=gate:gate gate gate
COPY --chown=gate:gate load load
COPY --chown=gate:gate reports reports
COPY --chown=gate:gate spec spec
COPY --chown=gate:gate twin twin
ENV PATH=/venv/bin:$PATH
# --group is known from pip 25.1 on; without the tools of `dev`.
RUN python -m venv /venv \
    && pip install --no-cache-dir --quiet --upgrade "pip>=25.1" \
    && pip install --no-cache-dir --group gate --constraint requirements/lock.txt \
    && python -m gate.arguments \
    && chown gate:gate /gate

USER gate
# Results and history: mount /gate/reports/out and /gate/reports/history to keep them.
ENTRYPOINT ["python", "-m"]
CMD ["pytest", "-m", "predeploy or postdeploy", "--target", "live", "--strict"]
