// The ordinary life of a tool that uses @xapi/xapi, under the version that it is told.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import XAPIModule from "@xapi/xapi";

const XAPI = XAPIModule.default ?? XAPIModule;
const { CAIRN_ENDPOINT, CAIRN_KEY, CAIRN_SECRET, CAIRN_VERSION } = process.env;
const lrs = new XAPI({
  endpoint: `${CAIRN_ENDPOINT}/`,
  auth: XAPI.toBasicAuth(CAIRN_KEY, CAIRN_SECRET),
  version: CAIRN_VERSION,
  adapter: "fetch",
});
const agent = { objectType: "Agent", mbox: `mailto:${randomUUID()}@example.org` };
const activityId = `https://tool.example.org/${randomUUID()}`;
const statement = (more) => ({
  actor: agent,
  verb: { id: "http://adlnet.gov/expapi/verbs/answered", display: { en: "answered" } },
  object: { objectType: "Activity", id: activityId, definition: { name: { en: "Quiz" } } },
  ...more,
});
const refused = (wanted) => (error) => error.message.includes(`"status":${wanted}`);
let facts = 0;
const fact = (holds) => {
  assert.ok(holds);
  facts += 1;
};

const about = await lrs.getAbout();
fact(about.data.version.includes(CAIRN_VERSION));

const [first] = (await lrs.sendStatement({ statement: statement({ result: { score: { raw: 7 } } }) })).data;
const batch = (await lrs.sendStatements({ statements: Array.from({ length: 7 }, () => statement()) })).data;
fact((await lrs.getStatement({ statementId: first })).data.result.score.raw === 7);

let page = (await lrs.getStatements({ agent, activity: activityId, limit: 3 })).data;
const found = [...page.statements];
while (page.more) {
  page = (await lrs.getMoreStatements({ more: page.more })).data;
  found.push(...page.statements);
}
assert.deepEqual(found.map((one) => one.id), [first, ...batch].reverse());
facts += 1;

await lrs.voidStatement({ actor: agent, statementId: first });
await assert.rejects(lrs.getStatement({ statementId: first }), refused(404));
fact((await lrs.getVoidedStatement({ voidedStatementId: first })).data.id === first);

const data = new TextEncoder().encode("what she wrote");
const attachment = {
  usageType: "https://tool.example.org/essay",
  display: { en: "Essay" },
  contentType: "text/plain",
  length: data.length,
  sha2: createHash("sha256").update(data).digest("hex"),
};
const sent = { statement: statement({ attachments: [attachment] }), attachments: [data.buffer] };
const [withData] = (await lrs.sendStatement(sent)).data;
const answer = (await lrs.getStatement({ statementId: withData, attachments: true })).data;
const parts = Array.isArray(answer) ? answer : [answer];
fact(JSON.stringify(parts).includes(attachment.sha2));
fact(Array.isArray(answer) && parts.length === 2);

const place = { agent, activityId, stateId: "bookmark" };
await lrs.createState({ ...place, state: { page: 3 } });
await lrs.createState({ ...place, state: { mood: "good" } });
const state = await lrs.getState(place);
assert.deepEqual(state.data, { page: 3, mood: "good" });
const stateTag = { etag: state.headers.etag, matchHeader: "If-Match" };
await lrs.setState({ ...place, ...stateTag, state: { page: 4 } });
assert.deepEqual((await lrs.getState(place)).data, { page: 4 });
assert.deepEqual((await lrs.getStates({ agent, activityId })).data, ["bookmark"]);
await lrs.deleteState(place);
await lrs.deleteStates({ agent, activityId });
assert.deepEqual((await lrs.getStates({ agent, activityId })).data, []);
facts += 4;

for (const [kind, owner] of [["Activity", { activityId }], ["Agent", { agent }]]) {
  const profile = { ...owner, profileId: "p" };
  await lrs[`create${kind}Profile`]({ ...profile, profile: { a: 1 }, etag: "*", matchHeader: "If-None-Match" });
  const kept = await lrs[`get${kind}Profile`](profile);
  assert.deepEqual(kept.data, { a: 1 });
  const tag = { etag: kept.headers.etag, matchHeader: "If-Match" };
  await lrs[`set${kind}Profile`]({ ...profile, ...tag, profile: { a: 2 } });
  await assert.rejects(lrs[`set${kind}Profile`]({ ...profile, ...tag, profile: { a: 3 } }), refused(412));
  assert.deepEqual((await lrs[`get${kind}Profile`](profile)).data, { a: 2 });
  assert.deepEqual((await lrs[`get${kind}Profiles`](owner)).data, ["p"]);
  await lrs[`delete${kind}Profile`](profile);
  assert.deepEqual((await lrs[`get${kind}Profiles`](owner)).data, []);
  facts += 5;
}

fact((await lrs.getActivity({ activityId })).data.definition.name.en === "Quiz");
fact((await lrs.getAgent({ agent })).data.mbox[0] === agent.mbox);
console.log(`@xapi/xapi under ${CAIRN_VERSION}: ${facts} facts hold`);
