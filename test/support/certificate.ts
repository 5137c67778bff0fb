/** A key and a self-signed certificate for 127.0.0.1, made by openssl on the spot. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CertificateFiles {
  readonly keyFile: string;
  readonly certFile: string;
}

export async function makeCertificate(folder: string): Promise<CertificateFiles> {
  const files = { keyFile: join(folder, 'key.pem'), certFile: join(folder, 'cert.pem') };
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', files.keyFile, '-out', files.certFile],
  ]);
  return files;
}
