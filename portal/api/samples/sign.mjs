import { createHmac, randomUUID } from "node:crypto";

const { CANOPY_URL, CANOPY_VENDOR, CANOPY_SECRET } = process.env;
const address = `${CANOPY_URL}/api/v1/vendors/${CANOPY_VENDOR}`;

async function canopy(method, path, body, id = `m-${randomUUID()}`) {
  const now = Math.floor(Date.now() / 1000);
  const data = body === undefined ? "" : JSON.stringify(body);
  const key = Buffer.from(CANOPY_SECRET.replace("whsec_", ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${now}.${data}`).digest("base64");
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(now),
    "webhook-signature": `v1,${signature}`,
  };
  const answer = await fetch(`${address}/${path}`, { method, headers, body: data || undefined });
  return answer.json(); // what is refused is a problem with status, detail and errors
}

console.log(JSON.stringify(await canopy("GET", "events?limit=10")));
