#!/bin/sh
# Installs all that an image holds into the Debian 12 that this runs in, as root: Containerfile and rootfs.sh call it.
#     image.sh SOURCE
# Run again with another SOURCE, it upgrades.
# pip's own variables (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL) choose where packages come from.
set -eu
source=$1
prefix=/opt/tape-review

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv
rm -rf /var/lib/apt/lists/*

python3 -m venv "$prefix"
pip_install() {
    "$prefix/bin/python" -m pip install --no-cache-dir --disable-pip-version-check --quiet "$@"
}
# torch first and exactly: left to choose, pip would take a CUDA build of several gigabytes.
pip_install "$(grep '^torch==' "$source/configs/constraints.txt")"
pip_install --upgrade -c "$source/configs/constraints.txt" "${source}[postgresql]"
TAPE_REVIEW_MODELS__FOLDER=$prefix/models "$prefix/bin/tape-review" models --fetch

# A number that no other account has: volumes keep it. Home and keys lie in folders of these: a restore makes its own beside.
id tape-review > /dev/null 2>&1 ||
    useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tape-review
install -d -m 0700 -o tape-review -g tape-review /srv/tapes /srv/keys
