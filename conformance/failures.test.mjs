import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseUrl, client, control, data, project, requests } from './emulator.mjs';

async function refused(call, code, errorCode, message) {
  const reply = await call;
  assert.equal(reply.ok, false);
  assert.equal(reply.code, code, JSON.stringify(reply.error));
  assert.equal(reply.error.errorCode, errorCode);
  assert.match(reply.error.errorMessage, message);
  assert.ok(reply.error.errorDescription);
  return reply;
}

test('the server says what is missing, taken or not there', async () => {
  const { management } = await project();
  const { tenant } = management;
  await data(tenant.createWithId('acme', 'Acme'));
  await refused(tenant.create(''), 400, 'E011003', /The name field is required/);
  await refused(tenant.update('', 'x'), 400, 'E011003', /The id field is required/);
  await refused(tenant.update('acme', ''), 400, 'E011003', /The name field is required/);
  await refused(tenant.delete(''), 400, 'E011003', /The id field is required/);
  await refused(tenant.load(''), 400, 'E011003', /id/);
  await refused(tenant.createWithId('acme', 'Other'), 400, 'E011004', /already exists/);
  await refused(tenant.createWithId('other', 'Acme'), 400, 'E011004', /already exists/);
  await refused(tenant.createWithId('child', 'Child', [], {}, false, false, 'nobody'), 400, 'E112202', /nobody/);
  await refused(tenant.load('nobody'), 404, 'E112202', /not found/);
  await refused(tenant.update('nobody', 'x'), 404, 'E112202', /not found/);
  await refused(tenant.delete('nobody'), 404, 'E112202', /not found/);
  await refused(tenant.getSettings('nobody'), 404, 'E112202', /not found/);
  await refused(tenant.configureSettings('nobody', {}), 404, 'E112202', /not found/);
  await refused(tenant.updateDefaultRoles('nobody', []), 404, 'E112202', /not found/);
  assert.deepEqual((await data(tenant.loadAll())).map((t) => t.id), ['acme']);
});

test('the SDK itself refuses to start without a project', async () => {
  await control('reset', { requests: true });
  assert.throws(() => client('', 'K2conformance'), /projectId/i);
  const log = await (await fetch(`${baseUrl}/_emulator/requests`)).json();
  assert.deepEqual(log, []);
});

test('keys are refused as they should be', async () => {
  for (const [managementKey, code] of [['K2-wrong', 401], ['K2-expired', 401], ['K2-forbidden', 403]]) {
    const { management } = await project({ managementKey });
    const reply = await management.tenant.loadAll();
    assert.deepEqual([managementKey, reply.ok, reply.code], [managementKey, false, code]);
    assert.ok(!JSON.stringify(reply.error).includes(managementKey));
  }
  const { management } = await project({ managementKey: 'K2-readonly' });
  assert.deepEqual(await data(management.tenant.loadAll()), []);
  assert.equal((await management.tenant.create('x')).code, 403);
});

test('a licence is shaken hands over, and carried along', async () => {
  const { projectId, management } = await project();
  // The handshake is fire and forget: the header appears when it is through.
  for (let tries = 0; tries < 50; tries += 1) {
    await data(management.tenant.loadAll());
    const log = await requests(projectId);
    if (log.at(-1).license === 'tier1') return;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail('no request carries x-descope-license: tier1');
});

test('a 503 is retried with the same body', async () => {
  const { projectId, management } = await project();
  await control('faults', { name: '503-once', match: 'POST /v1/mgmt/tenant/create' });
  await data(management.tenant.createWithId('acme', 'Acme', ['acme.com']));
  const [first, second, ...rest] = await requests(projectId);
  assert.deepEqual([first.status, second.status, rest.length], [503, 200, 0]);
  assert.deepEqual(first.body, second.body);
  const waited = Date.parse(second.time) - Date.parse(first.time);
  assert.ok(waited >= 95, `waited ${waited} ms`);
});

test('a create that the edge gave up on is applied, and its retry is a duplicate', async () => {
  const { projectId, management } = await project();
  await control('faults', { name: '524-once', applied: true, match: 'POST /v1/mgmt/tenant/create' });
  await refused(management.tenant.createWithId('acme', 'Acme'), 400, 'E011004', /already exists/);
  assert.equal((await data(management.tenant.load('acme'))).name, 'Acme');
  assert.deepEqual((await requests(projectId)).map((r) => r.status), [524, 400, 200]);
});

test('a 429 is not retried, and says how long to wait', async () => {
  const { projectId, management } = await project();
  await control('faults', { name: '429-once', retry_after: 10, match: 'GET /v1/mgmt/tenant/all' });
  const reply = await refused(management.tenant.loadAll(), 429, 'E130429', /./);
  assert.equal(reply.error.retryAfter, 10);
  assert.equal((await requests(projectId)).length, 1);
});

test('the 201st tenant write of a minute is one too many', async () => {
  const { projectId, management } = await project();
  const { tenant } = management;
  await data(tenant.createWithId('acme', 'Acme'));
  for (let i = 0; i < 199; i += 1) await data(tenant.updateDefaultRoles('acme', [`role ${i}`]));
  const reply = await refused(tenant.updateDefaultRoles('acme', ['one too many']), 429, 'E130429', /./);
  assert.ok(reply.error.retryAfter > 50 && reply.error.retryAfter <= 60, `Retry-After ${reply.error.retryAfter}`);
  assert.equal((await requests(projectId)).at(-1).budget, 'tenant-writes');
  assert.deepEqual((await data(tenant.load('acme'))).defaultRoles, ['role 198']);
  await control('reset', { rate: true });
});

test('the 101st read of a minute is one too many', async () => {
  const { management } = await project();
  await control('reset', { rate: true });
  let allowed = 0;
  let reply;
  do {
    reply = await management.tenant.loadAll();
    allowed += reply.ok ? 1 : 0;
  } while (reply.ok && allowed < 200);
  // The handshake may have been counted as well.
  assert.ok(allowed === 100 || allowed === 99, `${allowed} reads`);
  assert.equal(reply.code, 429);
  await control('reset', { rate: true });
});

test('what is not an answer is not taken for one', async () => {
  const { management } = await project();
  const { tenant } = management;
  await control('faults', [{ name: 'reset', match: 'POST /v1/mgmt/tenant/create' }]);
  await assert.rejects(tenant.createWithId('a', 'A'));
  await control('faults', [{ name: 'drop-after-write' }]);
  await assert.rejects(tenant.createWithId('b', 'B'));
  await control('faults', [{ name: 'truncated' }]);
  await assert.rejects(tenant.loadAll());
  await control('faults', [{ name: 'html' }]);
  await assert.rejects(tenant.loadAll());
  await control('faults', []);
  assert.deepEqual((await data(tenant.loadAll())).map((t) => t.id), ['b']);
});
