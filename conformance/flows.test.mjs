import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ask, control, data, project } from './emulator.mjs';

const connected = JSON.parse(readFileSync(new URL('fixtures/connected.json', import.meta.url)));
const http = connected.references.connectors.HTTP;

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

// connectedTo is a new project that has these connectors.
async function connectedTo(connectors) {
  const own = await project();
  await control('seed', { projects: { [own.projectId]: { connectors, components_version: '3.0.0' } } });
  return own;
}

const exportV2 = async (projectId, flowId) => (await ask(projectId, '/v2/mgmt/flow/export', { flowId })).flow;

// meaning is a flow without what the service stamps, and without empty values of
// the fields that one spelling writes out and another leaves away.
function meaning(flow) {
  const zero = (v) => v === null || v === false || v === '' || (typeof v === 'object' && Object.keys(v).length === 0);
  const bare = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => !zero(v)));
  const { componentsVersion, ...metadata } = flow.metadata;
  const screens = flow.screens.map((s) => bare({ ...s, interactions: s.interactions.map(bare) }));
  return bare({ ...flow, metadata: bare({ ...metadata, sharedInteractions: metadata.sharedInteractions.map(bare) }), screens });
}

test('a flow that the SDK exports and imports is the same in v2', async () => {
  const { projectId, management } = await connectedTo({ HTTP: http, Unused: 'CI2unused' });
  assert.deepEqual(await ask(projectId, '/v2/mgmt/flow/import', { flow: connected }), {});
  const before = await exportV2(projectId, 'connected');
  assert.deepEqual(meaning(before), meaning(connected));
  assert.equal(before.metadata.componentsVersion, '3.0.0');

  const { flow, screens } = await data(management.flow.export('connected'));
  assert.deepEqual(flow.dsl, connected.contents);
  assert.deepEqual([flow.translate, flow.translateSourceLang, flow.translateTargetLangs], [true, 'en', ['de', 'fr']]);
  assert.deepEqual(screens.map((s) => [s.id, s.htmlTemplate]), connected.screens.map((s) => [s.screenId, s.contents]));
  assert.deepEqual([flow.references, screens[0].componentsVersion], [undefined, '3.0.0']);
  await data(management.flow.import('connected', flow, screens));
  assert.deepEqual(await exportV2(projectId, 'connected'), before);
});

test('a flow of another project loses its connector, and keeps one that is bound by name', async () => {
  const { projectId, management } = await connectedTo({ HTTP: 'CI2productionHTTP' });
  const connector = async () => (await data(management.flow.export('connected'))).flow.dsl.tasks[1].arguments.connectorId;
  const toConsole = (f) => [
    { ...f.metadata, dsl: f.contents },
    f.screens.map(({ screenId, contents, ...rest }) => ({ ...rest, id: screenId, htmlTemplate: contents })),
  ];
  await data(management.flow.import('connected', ...toConsole(connected)));
  assert.deepEqual(await connector(), { type: 'inline' });
  assert.deepEqual((await exportV2(projectId, 'connected')).references, {});

  const bound = JSON.parse(JSON.stringify(connected).replaceAll(http, 'CI2productionHTTP'));
  await data(management.flow.import('connected', ...toConsole(bound)));
  assert.deepEqual(await connector(), { type: 'inline', value: 'CI2productionHTTP' });
  assert.deepEqual((await exportV2(projectId, 'connected')).references, { connectors: { HTTP: 'CI2productionHTTP' } });
});

test('a template can be imported', async () => {
  const { projectId, management } = await project();
  const { templates, total } = await ask(projectId, '/v1/mgmt/flow/template/list');
  assert.ok(total > 0);
  assert.equal(total, templates.length);
  for (const { id, name, description, dsl: graph, screens: shown } of templates) {
    await data(management.flow.import(id, { name, description, dsl: graph }, shown));
    assert.deepEqual((await data(management.flow.export(id))).flow.dsl, graph);
  }
  assert.deepEqual((await data(management.flow.list())).flows.map((f) => f.id), templates.map((t) => t.id));
});

test('a theme is imported and exported', async () => {
  const { projectId, management } = await project();
  const theme = { id: 'theme', cssTemplate: { light: { a: 1 } } };
  assert.deepEqual(await data(management.theme.import(theme)), { theme });
  assert.deepEqual(await data(management.theme.export()), { theme });
  const styles = { light: { globals: {}, components: {} } };
  await ask(projectId, '/v2/mgmt/theme/import', { theme: { styles, componentsVersion: '1.0.0', references: {} } });
  const v2 = (await ask(projectId, '/v2/mgmt/theme/export')).theme;
  assert.deepEqual(v2.styles, styles);
  assert.notEqual(v2.componentsVersion, '1.0.0');
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
