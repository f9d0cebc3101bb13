# Installs the packages named as arguments without letting their services start, now or at the next boot.
set -eu
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
exec 9>/var/lock/punctual-install.lock
flock 9

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
restore() {
    rm -f "$policy" "$clusters/punctual.conf"
    rmdir "$clusters" 2>/dev/null || true
    [ ! -e "$policy.punctual-saved" ] || mv "$policy.punctual-saved" "$policy"
}
trap restore EXIT
trap 'exit 130' INT TERM HUP

# A killed run may have left its own policy beside the one it had put away.
[ -e "$policy.punctual-saved" ] || [ ! -e "$policy" ] || mv "$policy" "$policy.punctual-saved"
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"
mkdir -p "$clusters"
echo 'create_main_cluster = false' >"$clusters/punctual.conf"

apt-get -o DPkg::Lock::Timeout=300 -q update
apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -q -y install --no-install-recommends "$@" 9>&-

for package in "$@"; do
    case $package in
    redis-server | valkey-server)
        deb-systemd-helper disable "$package.service" >/dev/null 2>&1 || true
        update-rc.d "$package" disable >/dev/null 2>&1 || true
        ;;
    esac
done
