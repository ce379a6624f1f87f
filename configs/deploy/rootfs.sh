#!/bin/sh
# Puts what the image would hold into a folder, where no registry of images can be reached: a Debian 12 by debootstrap,
# then image.sh in it. Run it as root, from anywhere:
#     rootfs.sh FOLDER [TAPE-REVIEW COMMAND ...]
# With a command, that is run in the folder as the account tape-review. BIND="/folder ..." shows folders of this machine in it,
# such as one with packages.
set -eu
folder=$1
shift
checkout=$(cd "$(dirname "$0")/../.." && pwd)

if [ ! -e "$folder/etc/debian_version" ]; then
    debootstrap --variant=minbase bookworm "$folder"
fi
cp /etc/resolv.conf "$folder/etc/resolv.conf"
for each in /usr/local/share/ca-certificates/*.crt; do  # authorities that this machine trusts besides Debian's
    [ ! -e "$each" ] || install -D -m 0644 "$each" "$folder$each"
done

# A name space of its own: what is mounted goes when this ends.
within() {
    unshare --mount --pid --fork sh -c '
        folder=$1
        shift
        mount -t proc proc "$folder/proc"
        mount --rbind /dev "$folder/dev"
        for each in ${BIND:-}; do
            mkdir -p "$folder$each"
            mount --rbind "$each" "$folder$each"
        done
        exec chroot "$folder" "$@"
    ' within "$folder" "$@"
}

if [ ! -e "$folder/opt/tape-review/bin/tape-review" ]; then
    mkdir -p "$folder/src"
    # The files that the image is made of, as the Containerfile names them.
    # shellcheck disable=SC2046
    tar -C "$checkout" -c $(sed -n 's/^COPY \(.*\) [^ ]*$/\1/p' "$checkout/configs/deploy/Containerfile") | tar -C "$folder/src" -x
    within sh /src/configs/deploy/image.sh /src
    rm -r "$folder/src"
fi
if [ $# -gt 0 ]; then
    within setpriv --reuid=tape-review --regid=tape-review --init-groups --no-new-privs env \
        PATH=/opt/tape-review/bin:/usr/local/bin:/usr/bin:/bin \
        TAPE_REVIEW_MODELS__FOLDER=/opt/tape-review/models \
        TAPE_REVIEW_TAPES__HOME=/srv/tapes/home \
        TAPE_REVIEW_TAPES__KEYS=/srv/keys/keys \
        HOME=/tmp \
        tape-review "$@"
fi
