/**
 * A log in a bucket under object lock: what was put there cannot be deleted before its time, by nobody. Needs `s3:PutObject`,
 * `s3:PutObjectRetention`, `s3:GetObject` and `s3:ListBucket` on the prefix, and nothing that deletes. Credentials come from where the
 * AWS SDK looks for them.
 */
import type * as Aws from '@aws-sdk/client-s3';
import { TenureError } from '../domain/errors.js';
import type { S3Options } from './options.js';
import { numbered, numberIn, type Shelf } from './shelf.js';

type Sdk = typeof Aws;

/** Opens the bucket; nothing is asked of it yet. */
export function s3Shelf(options: S3Options): Shelf {
  const { bucket: Bucket, prefix } = options;
  const where = `s3://${Bucket}/${prefix}`;
  let opened: Promise<{ sdk: Sdk; client: Aws.S3Client }> | undefined;
  const open = () => (opened ??= connect(options));
  const told = <T>(what: string, work: () => Promise<T>): Promise<T> => telling(where, what, work);

  const firstAfter = async (folder: string, number: number): Promise<number | undefined> => {
    const { sdk, client } = await open();
    const { Contents = [] } = await client.send(
      new sdk.ListObjectsV2Command({
        Bucket,
        Prefix: `${prefix}${folder}/`,
        StartAfter: `${prefix}${numbered(folder, number)}`,
        MaxKeys: 1,
      }),
    );
    return Contents[0]?.Key === undefined ? undefined : numberIn(Contents[0].Key);
  };

  return {
    where,
    get: (name) =>
      told(`reading ${name}`, async () => {
        const { sdk, client } = await open();
        try {
          const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket, Key: prefix + name }));
          return await Body?.transformToString();
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),

    create: (name, text) =>
      told(`writing ${name}`, async () => {
        const { sdk, client } = await open();
        const put = new sdk.PutObjectCommand({
          Bucket,
          Key: prefix + name,
          Body: text,
          IfNoneMatch: '*',
          ObjectLockMode: 'COMPLIANCE',
          ObjectLockRetainUntilDate: new Date(Date.now() + options.retentionDays * 86_400_000),
        });
        for (let tries = 1; ; tries += 1) {
          try {
            await client.send(put);
            return true;
          } catch (error) {
            if (statusOf(error) === 412) return false;
            // Somebody else writes the same name at this moment; who of the two has it is not decided yet.
            if (statusOf(error) !== 409 || tries === 5) throw error;
          }
        }
      }),

    list: (folder) =>
      told(`listing ${folder}`, async () => {
        const { sdk, client } = await open();
        const names: string[] = [];
        const pages = sdk.paginateListObjectsV2({ client }, { Bucket, Prefix: `${prefix}${folder}/` });
        for await (const { Contents = [] } of pages)
          names.push(...Contents.map(({ Key }) => Key!.slice(prefix.length)));
        return names.sort();
      }),

    // A page of a listing is the smallest of a thousand names, so the largest is found by halving: some tens of requests for millions.
    last: (folder) =>
      told(`listing ${folder}`, async () => {
        let low = await firstAfter(folder, 0);
        if (low === undefined) return undefined;
        for (let step = 1; ; step *= 2) {
          const next = await firstAfter(folder, low + step - 1);
          if (next === undefined) return lastBetween(folder, low, low + step, firstAfter);
          low = next;
        }
      }),
  };
}

/** The highest number there is, known to be from `low` to before `high`. */
async function lastBetween(
  folder: string,
  low: number,
  high: number,
  firstAfter: (folder: string, number: number) => Promise<number | undefined>,
): Promise<number> {
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const next = await firstAfter(folder, middle - 1);
    if (next === undefined) high = middle;
    else low = next;
  }
  return low;
}

async function connect({ region, endpoint }: S3Options): Promise<{ sdk: Sdk; client: Aws.S3Client }> {
  // Loaded here: it is large, and most logs are in a folder.
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({ region, ...(endpoint !== undefined && { endpoint, forcePathStyle: true }) });
  return { sdk, client };
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

async function telling<T>(where: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const status = statusOf(error);
    // The SDK's message can hold the address that was asked, with what signed the request.
    const reason = status === undefined ? (error as Error).name : `${(error as Error).name}, HTTP ${status}`;
    throw new TenureError(
      'StoreUnavailable',
      `the evidence log in ${where}: ${what} did not work (${reason}); check the bucket, its object lock, and the rights of this worker`,
    );
  }
}
