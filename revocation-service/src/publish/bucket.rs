//! A bucket in an S3-compatible object store with every CRL in it, for a CDN: the same paths as
//! below `/crl/`.
//!
//! An object is there whole or not at all, and an older list never takes the place of a newer one:
//! what is there is read first, and the write is on condition that it is still there (`If-Match`,
//! or `If-None-Match: *` if there was nothing). Nothing is removed.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use countersign_core::limits;
use countersign_daemon::crash_point;
use countersign_signing::{
    pem::{self, PemError},
    secret_file::{self, SecretFileError},
};
use object_store::{
    Attribute, Attributes, BackoffConfig, Certificate, ClientOptions, CredentialProvider, Error,
    GetOptions, ObjectStore, PutMode, PutOptions, PutPayload, RetryConfig, UpdateVersion,
    aws::{AmazonS3Builder, AwsCredential, S3ConditionalPut},
    path::Path,
};

use super::{
    ConditionalWrites, PublicationConfig,
    caching::MaxAge,
    due::{Due, KNOWN_FOR},
};

/// How often a write is begun again because somebody else wrote meanwhile.
const ATTEMPTS: usize = 4;
/// A connection, and a request from its first octet to its last: 32 MiB in a minute.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// A store that stumbles is asked again at once; one that is gone, by the publication's own backoff.
const RETRIES: usize = 2;

/// The bucket, and what is known to be in it.
#[derive(Debug)]
pub(crate) struct CrlBucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    writes: ConditionalWrites,
    max_age: MaxAge,
    known: Mutex<HashMap<String, Known>>,
}

/// A list that was found or written.
#[derive(Clone, Debug)]
struct Known {
    /// Nothing: no list, but something else.
    number: Option<u64>,
    version: UpdateVersion,
    seen: Instant,
}

/// Why the store cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The file with the secret, or that with the CA certificates.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// The file of the secret has none.
    #[error("{}: its first line is empty, where the secret is to be", path.display())]
    EmptySecret {
        /// The file.
        path: PathBuf,
    },
    /// The file with the CA certificates cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PemError,
    },
    /// A setting.
    #[error("crl_publication: {0}")]
    Setting(#[from] Error),
    /// The prefix.
    #[error("crl_publication.url: {0}")]
    Prefix(#[from] object_store::path::Error),
}

impl CrlBucket {
    /// The bucket that is configured, if one is. Nothing is asked of the store yet.
    ///
    /// # Errors
    /// [`BucketError`]: a file or a setting.
    pub(crate) fn open(
        config: &PublicationConfig,
        max_age_seconds: u32,
    ) -> Result<Option<Self>, BucketError> {
        let Some((bucket, prefix)) = config.bucket() else { return Ok(None) };
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: RETRIES,
            retry_timeout: REQUEST_TIMEOUT,
        };
        // What the environment says first, for whoever runs where it says it; what is configured
        // over it.
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_retry(retry)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_client_options(client_options(config)?);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        if let Some(region) = &config.region {
            builder = builder.with_region(region);
        }
        if let (Some(id), Some(file)) = (&config.access_key_id, &config.secret_access_key_file) {
            let credentials = SecretFile { id: id.clone(), file: file.clone() };
            if credentials.read()?.secret_key.is_empty() {
                return Err(BucketError::EmptySecret { path: file.clone() });
            }
            builder = builder.with_credentials(Arc::new(credentials));
        }
        Ok(Some(Self {
            store: Arc::new(builder.build()?),
            prefix: Path::parse(prefix)?,
            writes: config.conditional_writes,
            max_age: MaxAge::new(max_age_seconds),
            known: Mutex::default(),
        }))
    }

    /// Writes a list to its place, unless what is there is as new; says whether it wrote.
    ///
    /// # Errors
    /// The store failed or refused; what is there stays.
    pub(crate) async fn write(&self, due: &Due) -> Result<bool, Error> {
        let (place, crl) = (&*due.place, &due.crl);
        let mut faster = None;
        for _ in 0..ATTEMPTS {
            let there = match self.known(place) {
                Some(known) => Some(known),
                None => self.look(due).await?,
            };
            if there.as_ref().and_then(|there| there.number) >= Some(crl.number) {
                return Ok(false);
            }
            crash_point::reach("bucket.write");
            match self.put(due, there.map(|there| there.version)).await {
                Ok(version) => {
                    crash_point::reach("bucket.written");
                    self.note(place, Some(crl.number), version);
                    return Ok(true);
                }
                // Somebody else wrote or removed it meanwhile.
                Err(error @ (Error::AlreadyExists { .. } | Error::Precondition { .. })) => {
                    self.forget(place);
                    faster = Some(error);
                }
                Err(error) => {
                    // It may have been written all the same.
                    self.forget(place);
                    return Err(error);
                }
            }
        }
        Err(faster.unwrap_or(Error::NotImplemented {
            operation: "conditional PUT".to_owned(),
            implementer: self.store.to_string(),
        }))
    }

    async fn put(&self, due: &Due, there: Option<UpdateVersion>) -> Result<UpdateVersion, Error> {
        let mode = match (self.writes, there) {
            (ConditionalWrites::Unsupported, _) => PutMode::Overwrite,
            (ConditionalWrites::Required, None) => PutMode::Create,
            (ConditionalWrites::Required, Some(version)) => PutMode::Update(version),
        };
        // The header stays as it is for as long as the object does. A list is replaced when half of
        // its time is over; a cache that took it just before must have let go at nextUpdate.
        let validity = &due.crl.validity;
        let half = validity.next_update.seconds_since(validity.this_update) / 2;
        let cache_control = self.max_age.at_most(half.max(0));
        let attributes = Attributes::from_iter([
            (Attribute::ContentType, "application/pkix-crl".to_owned()),
            (Attribute::CacheControl, cache_control.to_str().unwrap_or("no-cache").to_owned()),
        ]);
        let options = PutOptions { mode, attributes, ..PutOptions::default() };
        let payload = PutPayload::from(due.crl.der.clone());
        let put = self.store.put_opts(&self.path(&due.place), payload, options).await?;
        Ok(UpdateVersion { e_tag: put.e_tag, version: put.version })
    }

    /// What the store has in that place.
    async fn look(&self, due: &Due) -> Result<Option<Known>, Error> {
        let got = match self.store.get_opts(&self.path(&due.place), GetOptions::default()).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            got => got?,
        };
        let version =
            UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
        // Larger than any list: something else, which is not fetched.
        let number = if got.meta.size <= limits::CRL_BYTES as u64 {
            due.number_of(&got.bytes().await?)
        } else {
            None
        };
        Ok(Some(self.note(&due.place, number, version)))
    }

    fn path(&self, place: &str) -> Path {
        self.prefix.parts().chain(Path::from(place).parts()).collect()
    }

    fn known(&self, place: &str) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(place).filter(|known| known.seen.elapsed() < KNOWN_FOR).cloned()
    }

    fn note(&self, place: &str, number: Option<u64>, version: UpdateVersion) -> Known {
        let known = Known { number, version, seen: Instant::now() };
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(place.to_owned(), known.clone());
        known
    }

    fn forget(&self, place: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }

    /// Looks at everything anew: the store was away, and may have come back as another.
    pub(crate) fn forget_all(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn client_options(config: &PublicationConfig) -> Result<ClientOptions, BucketError> {
    let mut options = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT)
        // Where the endpoint, of the configuration or of the environment, says so: requests are
        // signed, lists are public.
        .with_allow_http(true);
    if let Some(path) = &config.ca_certificate {
        let file = |source| BucketError::File { path: path.clone(), source };
        for der in pem::read_certificates(path).map_err(file)? {
            options = options.with_root_certificate(Certificate::from_der(&der)?);
        }
    }
    Ok(options)
}

/// An access key whose secret is in a file: who changes the file need not restart anything.
#[derive(Debug)]
struct SecretFile {
    id: String,
    file: PathBuf,
}

impl SecretFile {
    fn read(&self) -> Result<AwsCredential, SecretFileError> {
        let secret = secret_file::read_line(&self.file)?;
        Ok(AwsCredential {
            key_id: self.id.clone(),
            secret_key: String::from_utf8_lossy(&secret).into_owned(),
            token: None,
        })
    }
}

#[async_trait]
impl CredentialProvider for SecretFile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let read = self.read();
        read.map(Arc::new).map_err(|error| Error::Generic { store: "S3", source: error.into() })
    }
}
