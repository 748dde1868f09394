import assert from 'node:assert/strict';
import { test } from 'node:test';
import { data, project } from './emulator.mjs';

const dsl = { startTask: '0', tasks: { 0: { id: '0', name: 'start', next: { rules: [] } } } };
const screens = [{ id: 'SC1', inputs: [], interactions: [], htmlTemplate: { ROOT: { nodes: [] } } }];

test('flows are imported, listed, exported and deleted', async () => {
  const { management } = await project();
  const { flow } = management;
  assert.deepEqual(await data(flow.list()), { flows: [], total: 0 });

  const imported = await data(flow.import('sign-in', { name: 'Sign in', description: 'd', dsl, disabled: false }, screens));
  const exported = await data(flow.export('sign-in'));
  assert.deepEqual(imported, exported);
  assert.deepEqual(exported.flow.dsl, dsl);
  assert.deepEqual([exported.flow.id, exported.flow.name, exported.flow.description, exported.flow.version], ['sign-in', 'Sign in', 'd', 1]);
  assert.deepEqual(exported.screens.map((s) => [s.id, s.flowId, s.htmlTemplate]), [['SC1', 'sign-in', screens[0].htmlTemplate]]);

  await data(flow.import('sign-up', { name: 'Sign up', dsl }, []));
  const listed = await data(flow.list());
  assert.equal(listed.total, listed.flows.length);
  assert.deepEqual(listed.flows.map((f) => f.id), ['sign-in', 'sign-up']);
  const [before] = listed.flows;
  assert.equal(typeof before.modifiedTime, 'string');

  // An import replaces the whole flow, and the list shows that it moved.
  await data(flow.import('sign-in', { ...exported.flow, name: 'Other' }, exported.screens));
  const [moved] = (await data(flow.list())).flows;
  assert.deepEqual([moved.name, moved.version], ['Other', 2]);
  assert.notEqual(moved.etag, before.etag);
  // The id of the call counts, not the one in the document.
  await data(flow.import('copy', exported.flow, exported.screens));
  assert.equal((await data(flow.export('copy'))).flow.id, 'copy');

  assert.deepEqual(await data(flow.delete(['sign-up', 'copy', 'unknown'])), {});
  assert.equal((await data(flow.list())).total, 1);
  const missing = await flow.export('sign-up');
  assert.deepEqual([missing.ok, missing.code], [false, 404]);
});

test('a theme is imported and exported', async () => {
  const { management } = await project();
  const theme = { id: 'theme', cssTemplate: { light: { a: 1 } } };
  assert.deepEqual(await data(management.theme.import(theme)), { theme });
  assert.deepEqual(await data(management.theme.export()), { theme });
});

test('users, access keys and SSO of a tenant can be looked for', async () => {
  const { management } = await project();
  await data(management.tenant.createWithId('acme', 'Acme'));
  assert.deepEqual(await data(management.user.search({ tenantIds: ['acme'] })), { users: [], total: 0 });
  assert.deepEqual(await data(management.accessKey.searchAll(['acme'])), []);
  assert.equal((await data(management.sso.loadSettings('acme'))).tenant.id, 'acme');
  assert.equal((await data(management.sso.loadAllSettings('acme'))).length, 1);
});

test('the free plan has no snapshots', async () => {
  const { management } = await project();
  const reply = await management.project.exportSnapshot();
  assert.deepEqual([reply.ok, reply.code, reply.error.errorCode], [false, 403, 'E111703']);
});
