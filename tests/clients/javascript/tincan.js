// The ordinary life of an older tool, with TinCanJS (xAPI 1.0.x).
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import TinCan from "tincanjs";

const { CAIRN_ENDPOINT, CAIRN_KEY, CAIRN_SECRET } = process.env;
const lrs = new TinCan.LRS({
  endpoint: `${CAIRN_ENDPOINT}/`,
  username: CAIRN_KEY,
  password: CAIRN_SECRET,
  version: "1.0.2",
  allowFail: false,
});
const asked = (method, ...given) =>
  new Promise((resolve, reject) => {
    const last = typeof given.at(-1) === "object" ? given.pop() : {};
    const callback = (error, result) => (error === null ? resolve(result) : reject(error));
    lrs[method](...given, { ...last, callback });
  });
const agent = new TinCan.Agent({ mbox: `mailto:${randomUUID()}@example.org` });
const activity = new TinCan.Activity({ id: `https://tool.example.org/${randomUUID()}` });
const statement = (more) =>
  new TinCan.Statement({ id: randomUUID(), actor: agent, verb: { id: "http://adlnet.gov/expapi/verbs/answered" }, target: activity, ...more });

const first = statement({ result: { score: { raw: 7 } } });
const batch = Array.from({ length: 5 }, () => statement());
await asked("saveStatement", first, {});
await asked("saveStatements", batch, {});
assert.equal((await asked("retrieveStatement", first.id, {})).result.score.raw, 7);

let page = await asked("queryStatements", { params: { agent, activity, limit: 2 } });
const found = [...page.statements];
while (page.more) {
  page = await asked("moreStatements", { url: page.more });
  found.push(...page.statements);
}
assert.deepEqual(found.map((one) => one.id), [first, ...batch].map((one) => one.id).reverse());

const data = new TextEncoder().encode("what she wrote");
const attachment = {
  usageType: "https://tool.example.org/essay",
  display: { en: "Essay" },
  contentType: "text/plain",
  length: data.length,
  sha2: createHash("sha256").update(data).digest("hex"),
  content: data.buffer,
};
const withData = statement({ attachments: [attachment] });
await asked("saveStatement", withData, {});
const returned = await asked("retrieveStatement", withData.id, { params: { attachments: true } });
assert.equal(returned.attachments[0].getContentAsString(), "what she wrote");

const owner = { agent, activity };
await asked("saveState", "bookmark", '{"page":3}', { ...owner, contentType: "application/json" });
const state = await asked("retrieveState", "bookmark", owner);
assert.deepEqual(state.contents, { page: 3 });
await asked("saveState", "bookmark", '{"page":4}', { ...owner, contentType: "application/json", lastSHA1: state.etag });
await assert.rejects(
  asked("saveState", "bookmark", "{}", { ...owner, contentType: "application/json", lastSHA1: state.etag }),
  (status) => status === 412,
);
assert.deepEqual(await asked("retrieveStateIds", owner), ["bookmark"]);
await asked("dropState", "bookmark", owner);
assert.deepEqual(await asked("retrieveStateIds", owner), []);
console.log("TinCanJS under 1.0.2: statements, paging, attachments and state work");
