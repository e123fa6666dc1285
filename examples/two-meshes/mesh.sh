#!/bin/sh
# Two meshes of one company on this machine. Headquarters has the models; the claims unit has none, and asks headquarters over gRPC
# with mutual TLS. The steps, in this order (README.md):
#
#   mesh.sh prepare             makes an authority and a certificate for each mesh
#   mesh.sh start hq            runs headquarters until Ctrl-C
#   mesh.sh apply hq            gives the claims unit a project there, with a budget and a key
#   mesh.sh start claims        runs the mesh of the claims unit until Ctrl-C
#   mesh.sh apply claims        adds headquarters to it as an endpoint, and the models that it asks there
#   mesh.sh ask hq|claims …     runs a command of `llm-mesh` against one of them
set -eu
here=$(cd "$(dirname "$0")" && pwd)
FOLDER=$(mkdir -p "${FOLDER:-.two-meshes}" && cd "${FOLDER:-.two-meshes}" && pwd)
HQ=${HQ:-50151} CLAIMS=${CLAIMS:-50251} HQ_HTTP=${HQ_HTTP:-8180} CLAIMS_HTTP=${CLAIMS_HTTP:-8280}
HQ_SIMULATOR=${HQ_SIMULATOR:-8199} CLAIMS_SIMULATOR=${CLAIMS_SIMULATOR:-8299}
LLM_MESH=${LLM_MESH:-llm-mesh}
cd "$FOLDER"

certificate() { # a key and a certificate of the company's authority in one file: NAME, NAMES IN IT
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  echo "subjectAltName=$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA authority.pem -CAkey authority.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  cat "$1.crt" "$1.key" >"$1.pem"
}

environment() { # what the two meshes have of their own
  export LLM_MESH_ADAPTER_MESH_ADDED_FILES="$FOLDER" # where keys and certificates of other meshes may be
  export LLM_MESH_ID="$1" LLM_MESH_DATA_DIR="$FOLDER/$1"
  if [ "$1" = hq ]; then
    export LLM_MESH_TLS_CERTIFICATE="$FOLDER/hq.pem" LLM_MESH_TLS_KEY="$FOLDER/hq.pem" LLM_MESH_GRPC_TLS_CLIENT_CA="$FOLDER/authority.pem"
    export LLM_MESH_CLI_CERTIFICATE="$FOLDER/hq.pem" LLM_MESH_TLS_CA="$FOLDER/authority.pem"
    # From its second start on, the certificate of the claims unit stands for its key.
    [ ! -e claims.mesh-key ] || export LLM_MESH_GRPC_CLIENT_KEY_CLAIMS="claims.llm-mesh.example $(cat claims.mesh-key)"
    grpc=$HQ http=$HQ_HTTP simulator=$HQ_SIMULATOR
  else
    grpc=$CLAIMS http=$CLAIMS_HTTP simulator=$CLAIMS_SIMULATOR
  fi
  export LLM_MESH_SIMULATOR_ADDRESS="127.0.0.1:$simulator"
}

case "$*" in
prepare)
  umask 077
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=company -keyout authority.key -out authority.pem 2>/dev/null
  certificate hq DNS:localhost,DNS:gateway.llm-mesh
  certificate claims DNS:claims.llm-mesh.example
  ;;
"start hq" | "start claims")
  environment "$2"
  exec $LLM_MESH up --grpc "127.0.0.1:$grpc" --http "127.0.0.1:$http" --data-dir "$FOLDER/$2" --ready-file "$FOLDER/$2.ready" --quiet
  ;;
"apply hq")
  environment hq
  $LLM_MESH apply -f "$here/hq.yaml" --allow-loosening # it declares what its endpoint is cleared for
  [ -e claims.mesh-key ] || $LLM_MESH keys create --project claims/mesh --principal claims/mesh --save claims.mesh-key
  ;;
"apply claims")
  environment claims
  $LLM_MESH endpoints add mesh/hq --base-url "https://localhost:$HQ" --local --credential-file "$FOLDER/claims.mesh-key" \
    --authorities "$FOLDER/authority.pem" --client-certificate "$FOLDER/claims.pem" --region eu
  $LLM_MESH apply -f "$here/claims.yaml"
  ;;
"ask hq "* | "ask claims "*)
  environment "$2"
  shift 2
  exec $LLM_MESH "$@"
  ;;
*)
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
