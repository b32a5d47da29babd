/** The configuration of nginx for a front on this machine, out of deploy/nginx/front.conf.template. */
import { readFileSync } from 'node:fs';
import { inRepository } from '../setup/workspace.mjs';

export interface FrontAddresses {
  readonly port: number;
  /** Public listeners, `http://host:port`; a kind without any is answered with 503. */
  readonly control: readonly string[];
  readonly progress: readonly string[];
  readonly analytics: readonly string[];
  readonly edges: readonly string[];
  readonly hubs: readonly string[];
}

/** Fills the words in `${...}` of a template; throws on one that is not given. nginx's own variables have no braces. */
export function fillTemplate(text: string, words: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{([A-Z_]+)\}/g, (_, word: string) => {
    const value = words[word];
    if (value === undefined)
      throw new Error(`the template asks for ${word}, given are ${Object.keys(words).join(', ')}`);
    return value;
  });
}

/** The server block and its upstreams. `edges` without an address become a server that is down. */
export function frontConfig(
  addresses: FrontAddresses,
  files: { readonly studio: string; readonly openApi: string },
): string {
  const template = readFileSync(inRepository('deploy/nginx/front.conf.template'), 'utf8');
  return fillTemplate(template, {
    CONTROL_SERVERS: upstreamServers(addresses.control),
    PROGRESS_SERVERS: upstreamServers(addresses.progress),
    ANALYTICS_SERVERS: upstreamServers(addresses.analytics),
    EDGE_SERVERS: upstreamServers(addresses.edges),
    HUB_SERVERS: upstreamServers(addresses.hubs),
    RESOLVER: '',
    FRONT_LISTEN: String(addresses.port),
    OPENAPI_FILE: files.openApi,
    STUDIO_DIR: files.studio,
  });
}

function upstreamServers(urls: readonly string[]): string {
  if (urls.length === 0) return 'server 127.0.0.1:9 down;';
  return urls.map((url) => `server ${new URL(url).host} max_fails=1 fail_timeout=2s;`).join(' ');
}

/** nginx.conf around it, with every file it writes in `dir`. */
export function nginxConfig(dir: string, workers: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workers};
worker_rlimit_nofile 65536;
worker_shutdown_timeout 3s;
pid ${dir}/nginx.pid;
error_log stderr warn;
events { worker_connections 32768; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log off;
  sendfile on;
  tcp_nodelay on;
${temporary.map((name) => `  ${name}_temp_path ${dir}/temp/${name};`).join('\n')}
  include ${dir}/front.conf;
}
`;
}
