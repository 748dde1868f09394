import assert from 'node:assert/strict';
import { test } from 'node:test';
import { data, project, requests } from './emulator.mjs';

test('a tenant lives and dies', async () => {
  const { projectId, management } = await project();
  const { tenant } = management;

  const { id } = await data(tenant.create('No ID', ['none.com']));
  assert.match(id, /^T[0-9A-Za-z]{27}$/);
  const created = await data(tenant.createWithId('acme', 'Acme', ['acme.com', 'acme.net'], { plan: 'pro', seats: 5, beta: true }, true, true, undefined, 'none'));
  assert.deepEqual(created, { id: 'acme' });

  const loaded = await data(tenant.load('acme'));
  assert.ok(Number.isInteger(loaded.createdTime) && loaded.createdTime < 2 ** 31, `createdTime ${loaded.createdTime}`);
  assert.deepEqual({ ...loaded, createdTime: 0 }, {
    id: 'acme',
    name: 'Acme',
    selfProvisioningDomains: ['acme.com', 'acme.net'],
    customAttributes: { plan: 'pro', seats: 5, beta: true },
    authType: 'none',
    domains: [],
    createdTime: 0,
    disabled: true,
    enforceSSO: true,
    enforceSSOExclusions: [],
    federatedAppIds: [],
    parent: '',
    successors: [],
    defaultRoles: [],
    roleInheritance: 'none',
  });

  assert.deepEqual(await data(tenant.update('acme', 'Acme 2', ['acme.com'], { plan: 'pro' }, false, false, 'userOnly')), {});
  const updated = await data(tenant.load('acme'));
  assert.equal(updated.name, 'Acme 2');
  assert.equal(updated.roleInheritance, 'userOnly');
  assert.deepEqual((await data(tenant.loadAll())).map((t) => t.id), [id, 'acme']);

  assert.deepEqual(await data(tenant.delete('acme', false)), {});
  assert.deepEqual((await data(tenant.loadAll())).map((t) => t.id), [id]);
  assert.equal((await tenant.load('acme')).error.errorCode, 'E112202');

  // What the SDK put on the wire.
  const log = await requests(projectId);
  const sent = (path) => log.filter((r) => r.path === `/v1/mgmt/tenant/${path}`).map((r) => r.body);
  assert.deepEqual(sent('create')[0], { name: 'No ID', selfProvisioningDomains: ['none.com'] });
  assert.equal(sent('update')[0].parent, undefined);
  assert.deepEqual(sent('delete'), [{ id: 'acme', cascade: false }]);
  assert.equal(log.find((r) => r.method === 'GET' && r.path === '/v1/mgmt/tenant').query, 'id=acme');
  for (const r of log) {
    assert.equal(r.auth, 'project:key');
    assert.equal(r.sdk, 'nodejs');
    assert.equal(r.unknown_fields, undefined, JSON.stringify(r));
  }
});

test('an update replaces the whole tenant, and the SDK cannot say all of it', async () => {
  const { management } = await project();
  const { tenant } = management;
  await data(tenant.createWithId('acme', 'Acme', ['acme.com'], { plan: 'pro' }, true, true));
  await data(tenant.configureSettings('acme', {
    domains: ['sso.acme.com'], selfProvisioningDomains: ['acme.com'], authType: 'saml', federatedAppIds: ['app'], enforceSSOExclusions: ['U1'], enforceSSO: true,
  }));
  await data(tenant.updateDefaultRoles('acme', ['Admin']));

  await data(tenant.update('acme', 'Acme'));
  const t = await data(tenant.load('acme'));
  assert.deepEqual([t.selfProvisioningDomains, t.customAttributes, t.enforceSSO, t.disabled, t.authType], [[], {}, false, false, 'none']);
  // The SDK never sends these two: an ordinary update through it clears them.
  assert.deepEqual([t.federatedAppIds, t.enforceSSOExclusions], [[], []]);
  // Other endpoints own these.
  assert.deepEqual([t.domains, t.defaultRoles], [['sso.acme.com'], ['Admin']]);
});

test('a hierarchy has parents and successors', async () => {
  const { management } = await project();
  const { tenant } = management;
  await data(tenant.createWithId('root', 'Root'));
  await data(tenant.createWithId('child', 'Child', [], {}, false, false, 'root'));
  await data(tenant.createWithId('grand', 'Grand', [], {}, false, false, 'child'));

  const all = await data(tenant.loadAll());
  assert.deepEqual(all.map((t) => [t.id, t.parent, t.successors]), [
    ['root', '', ['child']],
    ['child', 'root', ['grand']],
    ['grand', 'child', []],
  ]);
  assert.deepEqual((await data(tenant.load('child'))).successors, ['grand']);
  assert.deepEqual((await data(tenant.searchAll(undefined, undefined, undefined, undefined, 'root'))).map((t) => t.id), ['child']);

  const refused = await tenant.delete('root', false);
  assert.equal(refused.code, 400);
  for (const id of ['grand', 'child', 'root']) await data(tenant.delete(id));
  assert.deepEqual(await data(tenant.loadAll()), []);
});

test('a search combines its fields', async () => {
  const { projectId, management } = await project();
  const { tenant } = management;
  await data(tenant.createWithId('a', 'A', ['a.com'], { plan: 'pro', n: 1 }));
  await data(tenant.createWithId('b', 'B', ['b.com'], { plan: 'pro' }));
  await data(tenant.createWithId('c', 'C'));
  const search = async (...args) => (await data(tenant.searchAll(...args))).map((t) => t.id);
  assert.deepEqual(await search(), ['a', 'b', 'c']);
  assert.deepEqual(await search(['c', 'a']), ['a', 'c']);
  assert.deepEqual(await search(undefined, ['B']), ['b']);
  assert.deepEqual(await search(undefined, undefined, ['a.com']), ['a']);
  assert.deepEqual(await search(undefined, undefined, undefined, { plan: 'pro' }), ['a', 'b']);
  assert.deepEqual(await search(['a'], ['B']), []);
  await search(['i'], ['n'], ['d'], { k: 'v' }, 'p');
  const log = await requests(projectId);
  assert.deepEqual(log.at(-1).body, {
    tenantIds: ['i'], tenantNames: ['n'], tenantSelfProvisioningDomains: ['d'], customAttributes: { k: 'v' }, parentTenantId: 'p',
  });
});

test('settings are read and replaced', async () => {
  const { projectId, management } = await project();
  const { tenant } = management;
  await data(tenant.createWithId('acme', 'Acme', ['acme.com']));
  const wanted = {
    domains: ['sso.acme.com'],
    selfProvisioningDomains: ['acme.com'],
    authType: 'oidc',
    enabled: true,
    refreshTokenExpiration: 4,
    refreshTokenExpirationUnit: 'weeks',
    sessionTokenExpiration: 10,
    sessionTokenExpirationUnit: 'minutes',
    stepupTokenExpiration: 5,
    stepupTokenExpirationUnit: 'minutes',
    enableInactivity: true,
    inactivityTime: 1,
    inactivityTimeUnit: 'hours',
    JITDisabled: true,
    ssoSetupSuiteSettings: { enabled: true, styleId: '', disabledFeatures: { saml: false, oidc: true } },
  };
  assert.deepEqual(await data(tenant.configureSettings('acme', wanted)), {});
  assert.deepEqual(await data(tenant.getSettings('acme')), wanted);
  const t = await data(tenant.load('acme'));
  assert.deepEqual([t.domains, t.authType], [['sso.acme.com'], 'oidc']);

  // Both lists of domains go when they are left out, and so does the rest.
  await data(tenant.configureSettings('acme', { enabled: true }));
  const cleared = await data(tenant.getSettings('acme'));
  assert.deepEqual([cleared.domains, cleared.selfProvisioningDomains, cleared.authType, cleared.JITDisabled, cleared.ssoSetupSuiteSettings], [[], [], 'none', false, null]);

  const log = (await requests(projectId)).filter((r) => r.path === '/v1/mgmt/tenant/settings');
  assert.equal(log[0].body.tenantId, 'acme');
  assert.equal(log[1].query, 'id=acme');
});

test('default roles have an endpoint of their own', async () => {
  const { management } = await project();
  const { tenant } = management;
  await data(tenant.createWithId('acme', 'Acme'));
  assert.deepEqual(await data(tenant.updateDefaultRoles('acme', ['Admin', 'User'])), {});
  assert.deepEqual((await data(tenant.load('acme'))).defaultRoles, ['Admin', 'User']);
  await data(tenant.updateDefaultRoles('acme', []));
  assert.deepEqual((await data(tenant.load('acme'))).defaultRoles, []);
});
