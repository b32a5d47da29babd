/**
 * Who may import whom, by the `layer:` tag in each package.json. One table for the Nx rule (eslint.config.mjs); dependency-cruiser
 * (.dependency-cruiser.mjs) checks what that rule cannot see.
 */

/** Apps that compose others: they may import another app's `/service` and `/config`. */
const composingApps = ['standalone', 'e2e'];

/** Apps that import no other app. A new app is added here, or it may import nothing at all. */
const services = ['control', 'ingest', 'transcode', 'delivery', 'progress', 'analytics', 'hub', 'studio'];

const libraryLayers = ['layer:kernel', 'layer:domain', 'layer:contract', 'layer:platform', 'layer:media'];

/** Options of `@nx/enforce-module-boundaries`. */
export const layerRules = {
  enforceBuildableLibDependency: false,
  // Every import of a package has to be declared in the package.json of who imports it.
  banTransitiveDependencies: true,
  allow: [],
  // Loading a package late, by `import()`, says nothing about who may import it.
  checkDynamicDependenciesExceptions: ['.*'],
  depConstraints: [
    { sourceTag: 'layer:kernel', onlyDependOnLibsWithTags: ['layer:kernel'] },
    { sourceTag: 'layer:domain', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain'] },
    { sourceTag: 'layer:contract', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain', 'layer:contract'] },
    { sourceTag: 'layer:platform', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:contract', 'layer:platform'] },
    {
      sourceTag: 'layer:media',
      onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain', 'layer:contract', 'layer:platform', 'layer:media'],
    },
    ...services.map((service) => ({
      allSourceTags: ['layer:app', `scope:${service}`],
      onlyDependOnLibsWithTags: libraryLayers,
    })),
    ...composingApps.map((app) => ({
      allSourceTags: ['layer:app', `scope:${app}`],
      onlyDependOnLibsWithTags: [...libraryLayers, 'layer:app'],
    })),
    { sourceTag: 'layer:tool', onlyDependOnLibsWithTags: [...libraryLayers, 'layer:app', 'layer:tool'] },
  ],
};
