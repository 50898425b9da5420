#!/bin/sh
# Creates the namespace and Tenure's search attributes. Safe to repeat: what exists is kept.
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${RETENTION:=90d}"
attempts=${ATTEMPTS:-60}

# The search attributes that the workflows set, as src/temporal/search-attributes.ts declares them.
search_attributes='
NhiKind=Keyword
NhiOwner=Keyword
NhiTarget=Keyword
NhiEnvironment=Keyword
NhiStage=Keyword
NhiStatus=Keyword
NhiGate=Keyword
NhiTags=KeywordList
NhiNextRotation=Datetime
'

# Runs a command until it succeeds; what it says is shown when it never does.
until_done() {
  attempt=1
  until said=$("$@" 2>&1); do
    if [ "$attempt" -ge "$attempts" ]; then
      echo "gave up after $attempts attempts: $*" >&2
      echo "$said" >&2
      exit 1
    fi
    attempt=$((attempt + 1))
    sleep 1
  done
}

namespace_exists() { temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE"; }

make_namespace() {
  namespace_exists || temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
}

make_search_attribute() {
  existing=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE") || return 1
  if echo "$existing" | grep -qw "$1"; then return 0; fi
  temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2"
}

until_done temporal operator cluster health
until_done make_namespace
# A new namespace is known everywhere only after a moment.
until_done namespace_exists
for attribute in $search_attributes; do
  until_done make_search_attribute "${attribute%=*}" "${attribute#*=}"
done
echo "namespace $TEMPORAL_NAMESPACE is ready"
