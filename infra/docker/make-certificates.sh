#!/bin/sh
# An authority of this system's own, and certificates of its servers: make-certificates.sh FOLDER NAME:UID...
# What is valid for 30 more days stays. The authority's key is forgotten at once: nobody can add a server later; then all is made anew.
set -eu
umask 077
folder=$1
shift
mkdir -p "$folder"
chmod 755 "$folder"
cd "$folder"

is_valid() {
  for server in "$@"; do
    name=${server%%:*}
    [ -s "$name.key" ] && [ -s "$name.crt" ] || return 1
    openssl x509 -checkend 2592000 -noout -in "$name.crt" > /dev/null 2>&1 || return 1
    openssl verify -CAfile ca.crt "$name.crt" > /dev/null 2>&1 || return 1
  done
}

if is_valid "$@"; then
  echo 'certificates are kept'
  exit 0
fi

making=$(mktemp -d ./.making-XXXXXX)
trap 'rm -rf "$making"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 825 -subj '/CN=Workledger authority' \
  -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
  -keyout "$making/ca.key" -out "$making/ca.crt" 2> /dev/null
for server in "$@"; do
  name=${server%%:*}
  owner=${server##*:}
  # EventStoreDB takes nodes for its own by this name.
  openssl req -newkey rsa:2048 -nodes -sha256 -subj '/CN=eventstoredb-node' \
    -keyout "$making/$name.key" -out "$making/$name.csr" 2> /dev/null
  printf '%s\n' "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" 'basicConstraints=CA:FALSE' \
    'keyUsage=critical,digitalSignature,keyEncipherment' 'extendedKeyUsage=serverAuth,clientAuth' > "$making/$name.ext"
  openssl x509 -req -sha256 -days 820 -in "$making/$name.csr" -CA "$making/ca.crt" -CAkey "$making/ca.key" \
    -CAcreateserial -extfile "$making/$name.ext" -out "$making/$name.crt" 2> /dev/null
  chown "$owner" "$making/$name.key"
  chmod 644 "$making/$name.crt"
done
rm -f "$making/ca.key"
chmod 644 "$making/ca.crt"
for server in "$@"; do
  mv "$making/${server%%:*}.key" "$making/${server%%:*}.crt" .
done
# Alone in a folder: EventStoreDB trusts all that lie in the one it is given.
mkdir -p authority
chmod 755 authority
cp -p "$making/ca.crt" authority/ca.crt
mv "$making/ca.crt" .
echo 'certificates are made'
