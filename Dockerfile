# One image, three jobs by its command:
#
#   gunicorn              (the default)                                   the HTTP service, on port 8080
#   Lambda, API           python -m awslambdaric service.lambda_handler.api
#   Lambda, verifier      python -m awslambdaric service.lambda_handler.verifier
#   worker                python -m service.worker                       the verifier outside Lambda
#
# It builds with BuildKit and with the classic builder, runs as any user id on a read-only root file system, and two builds from
# one commit hold the same layers (docs/adr/0013-one-image.md). A release names its base by digest: --build-arg BASE=…@sha256:….
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
# The time that everything in the image bears; `git log -1 --format=%ct` is a commit's own.
ARG SOURCE_DATE_EPOCH=0
# What compiles below must not depend on the order of a set.
ENV PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# pip installs from beside the environment, so that the image has none.
COPY requirements/service.txt /build/
RUN python3 -m venv /build/pip \
    && python3 -m venv --without-pip /opt/smas \
    && /build/pip/bin/pip --python /opt/smas/bin/python install --quiet \
        --require-hashes --only-binary=:all: --no-compile -r /build/service.txt

COPY service /srv/service
# Bytecode that is never checked against its source: nothing in the image changes, and no start writes any. Lambda runs the
# code as a user of its own, so everybody may read it.
# botocore's data of our services lies beside botocore as it is read most quickly.
RUN python3 -m compileall -q -j 1 --invalidation-mode unchecked-hash /opt/smas/lib /srv/service \
    && PYTHONPATH=/srv /opt/smas/bin/python -m service.aws.botocore_data /opt/smas/botocore_data \
    && mkdir -p /image/opt \
    && mv /opt/smas /image/opt/ \
    && mv /srv /image/ \
    && chmod -R u=rwX,go=rX /image \
    && find /image -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE}
COPY --from=build /image/ /
ENV PATH=/opt/smas/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/srv \
    PYTHONSAFEPATH=1 \
    AWS_DATA_PATH=/opt/smas/botocore_data \
    AWS_LAMBDA_LOG_FORMAT=JSON
USER 65532:65532
EXPOSE 8080
# Of the HTTP service; other jobs are watched by what runs them.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import http.client as h, sys; c = h.HTTPConnection('127.0.0.1', 8080, timeout=2); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
CMD ["gunicorn", "-c", "python:service.gunicorn_config", "--bind", "0.0.0.0:8080", "--worker-tmp-dir", "/dev/shm", "service.wsgi:app"]

ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="secure-model-artifact-store" \
    org.opencontainers.image.description="Versioned machine-learning models on S3, where AWS itself records who touched what." \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.base.name="${BASE}"
