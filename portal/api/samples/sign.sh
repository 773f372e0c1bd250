# canopy METHOD PATH [BODY]; ID names the message, and an event.
canopy() {
  local id="${ID:-m-$(date +%s)-$RANDOM}" now key signature
  now=$(date +%s)
  key=$(printf %s "${CANOPY_SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  signature=$(printf %s "$id.$now.${3-}" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
  curl -sS -X "$1" "$CANOPY_URL/api/v1/vendors/$CANOPY_VENDOR/$2" ${3:+--data-binary "$3"} -H 'content-type: application/json' \
    -H "webhook-id: $id" -H "webhook-timestamp: $now" -H "webhook-signature: v1,$signature"
}
