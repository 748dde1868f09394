import assert from 'node:assert/strict';
import { test } from 'node:test';
import { data, project, requests } from './emulator.mjs';

// known fails where the SDK sends a field that the emulator takes no notice of.
async function known(projectId) {
  for (const r of await requests(projectId)) {
    assert.equal(r.unknown_fields, undefined, JSON.stringify(r));
    assert.equal(r.status, 200, JSON.stringify(r));
  }
}

async function world() {
  const { projectId, management } = await project();
  for (const id of ['acme', 'other']) await data(management.tenant.createWithId(id, id));
  const create = async (loginId, ...tenants) => data(management.user.create(loginId, {
    email: `${loginId}@example.com`, userTenants: tenants.map((tenantId) => ({ tenantId, roleNames: ['Tenant Admin'] })),
  }));
  const users = { ann: await create('ann', 'acme'), bob: await create('bob', 'acme', 'other'), cid: await create('cid') };
  const key = (name, ...tenants) => data(management.accessKey.create(name, 0, undefined, tenants.map((tenantId) => ({ tenantId }))));
  const keys = { one: await key('one', 'acme'), two: await key('two', 'acme', 'other') };
  const logins = async (query) => (await data(management.user.search(query))).users.map((u) => u.loginIds[0]).sort();
  const names = async (tenants) => (await data(management.accessKey.searchAll(tenants))).map((k) => k.name).sort();
  return { projectId, management, users, keys, logins, names };
}

test('users are created, found by tenant, and deleted', async () => {
  const { projectId, management, users, logins } = await world();
  assert.match(users.ann.userId, /^U[0-9A-Za-z]{27}$/);
  assert.deepEqual(users.ann.userTenants, [{ tenantId: 'acme', tenantName: 'acme', roleNames: ['Tenant Admin'] }]);
  assert.ok(Number.isInteger(users.ann.createdTime) && users.ann.createdTime < 2 ** 31);
  assert.deepEqual(await logins({ tenantIds: ['acme'] }), ['ann', 'bob']);
  assert.deepEqual(await logins({ tenantIds: ['other'] }), ['bob']);
  assert.deepEqual(await logins({}), ['ann', 'bob', 'cid']);

  // A page of one, of two that there are.
  const page = await data(management.user.search({ tenantIds: ['acme'], limit: 1 }));
  assert.deepEqual([page.users.length, page.total], [1, 2]);
  assert.equal((await data(management.user.search({ tenantIds: ['acme'], limit: 1, page: 2 }))).users.length, 0);
  assert.equal((await data(management.user.searchAll(['acme']))).length, 2);

  // Test users are shown to those who ask.
  await data(management.user.createTestUser('tess', { userTenants: [{ tenantId: 'acme' }] }));
  assert.deepEqual(await logins({ tenantIds: ['acme'] }), ['ann', 'bob']);
  assert.deepEqual(await logins({ tenantIds: ['acme'], withTestUser: true }), ['ann', 'bob', 'tess']);
  assert.equal((await data(management.user.searchTestUsers({ tenantIds: ['acme'] }))).total, 1);

  assert.deepEqual(await data(management.user.load('ann')), users.ann);
  assert.deepEqual(await data(management.user.loadByUserId(users.ann.userId)), users.ann);
  assert.deepEqual(await data(management.user.delete('ann')), {});
  assert.deepEqual(await data(management.user.deleteByUserId(users.bob.userId)), {});
  assert.deepEqual(await logins({ tenantIds: ['acme', 'other'] }), []);
  await data(management.user.addTenant('cid', 'acme'));
  assert.deepEqual(await logins({ tenantIds: ['acme'] }), ['cid']);
  await data(management.user.removeTenant('cid', 'acme'));
  assert.deepEqual(await logins({ tenantIds: ['acme'] }), []);
  await known(projectId);

  const missing = await management.user.delete('ann');
  assert.deepEqual([missing.code, missing.error.errorCode], [404, 'E112102']);
  const log = await requests(projectId);
  assert.deepEqual(log.find((r) => r.path === '/v2/mgmt/user/search').body, { tenantIds: ['acme'] });
});

test('access keys are created, found by tenant, and deleted', async () => {
  const { projectId, management, keys, names } = await world();
  assert.match(keys.one.key.id, /^K[0-9A-Za-z]{27}$/);
  assert.ok(keys.one.cleartext);
  assert.deepEqual(await names(['acme']), ['one', 'two']);
  assert.deepEqual(await names(['other']), ['two']);
  assert.deepEqual(await names(), ['one', 'two']);
  assert.deepEqual(await data(management.accessKey.load(keys.one.key.id)), keys.one.key);
  await data(management.accessKey.deactivate(keys.one.key.id));
  assert.equal((await data(management.accessKey.load(keys.one.key.id))).status, 'inactive');
  assert.deepEqual(await names(['acme']), ['one', 'two']);
  await data(management.accessKey.activate(keys.one.key.id));
  assert.deepEqual(await data(management.accessKey.delete(keys.one.key.id)), {});
  assert.deepEqual(await names(['acme']), ['two']);
  await known(projectId);
  assert.equal((await management.accessKey.load(keys.one.key.id)).code, 404);
});

test('SSO is configured, read and taken away', async () => {
  const { projectId, management } = await world();
  const { sso, tenant } = management;
  const none = await data(sso.loadSettings('acme'));
  assert.deepEqual([none.tenant.id, none.saml, none.oidc], ['acme', null, null]);

  await data(sso.configureOIDCSettings('acme', {
    name: 'IdP', clientId: 'client', clientSecret: 'secret', authUrl: 'https://idp/auth', tokenUrl: 'https://idp/token', JWKsUrl: 'https://idp/keys', attributeMapping: { email: 'mail' },
  }, ['sso.acme.com']));
  const oidc = await data(sso.loadSettings('acme'));
  assert.deepEqual([oidc.oidc.name, oidc.oidc.clientId, oidc.oidc.JWKsUrl, oidc.oidc.attributeMapping], ['IdP', 'client', 'https://idp/keys', { email: 'mail' }]);
  assert.deepEqual([oidc.tenant.domains, oidc.tenant.authType], [['sso.acme.com'], 'oidc']);
  assert.deepEqual((await data(tenant.load('acme'))).domains, ['sso.acme.com']);

  await data(sso.configureSAMLSettings('other', { idpUrl: 'https://idp', entityId: 'entity', idpCert: 'cert', roleMappings: [{ groups: ['g1', 'g2'], roleName: 'Admin' }] }, 'https://back', ['sso.other.com']));
  const { saml } = await data(sso.loadSettings('other'));
  assert.deepEqual([saml.idpSSOUrl, saml.idpEntityId, saml.idpCertificate, saml.redirectUrl], ['https://idp', 'entity', 'cert', 'https://back']);
  assert.deepEqual(saml.groupsMapping.map((m) => [m.roleName, m.groups]), [['Admin', ['g1', 'g2']]]);
  await data(sso.configureSAMLByMetadata('other', { idpMetadataUrl: 'https://metadata' }, 'https://back', ['sso.other.com']));
  assert.equal((await data(sso.loadSettings('other'))).saml.idpMetadataUrl, 'https://metadata');

  await data(sso.newSettings('acme', 'second', 'Second'));
  await data(sso.configureOIDCSettings('acme', { name: 'Two', clientId: 'two' }, ['sso.acme.com'], 'second'));
  assert.deepEqual((await data(sso.loadAllSettings('acme'))).map((s) => [s.ssoId, s.oidc.clientId]), [['', 'client'], ['second', 'two']]);
  assert.equal((await data(sso.loadSettings('acme', 'second'))).oidc.clientId, 'two');

  await data(sso.deleteSettings('acme', 'second'));
  await data(sso.deleteSettings('acme'));
  assert.equal((await data(sso.loadSettings('acme'))).oidc, null);
  await known(projectId);
  assert.equal((await sso.loadSettings('nobody')).error.errorCode, 'E112202');
});

test('a tenant is deleted, and its users and keys stay', async () => {
  const { management, logins, names } = await world();
  await data(management.tenant.delete('acme', false));
  assert.deepEqual(await logins({}), ['ann', 'bob', 'cid']);
  assert.deepEqual(await names(), ['one', 'two']);
  assert.deepEqual((await data(management.user.load('ann'))).userTenants, []);
  assert.deepEqual((await data(management.user.load('bob'))).userTenants.map((t) => t.tenantId), ['other']);
});

test('a tenant is deleted together with the users and keys that are in no other', async () => {
  const { management, logins, names } = await world();
  await data(management.tenant.delete('acme', true));
  assert.deepEqual(await logins({}), ['bob', 'cid']);
  assert.deepEqual(await names(), ['two']);
  assert.deepEqual(await logins({ tenantIds: ['acme'] }), []);
});
