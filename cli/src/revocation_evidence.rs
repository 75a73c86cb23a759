//! CRLs and OCSP responses for a verification: those that were given, those that were kept, and,
//! online, those that the certificates name. Judging them is the core's.

mod asking;

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::{Arc, OnceLock},
    thread,
};

use countersign_core::{
    RevocationSource,
    crl::CertificateList,
    limits,
    pem::Kind,
    policy::Revocation,
    revocation::{self, Known},
    time::UnixSeconds,
    x509::Certificate,
};

use self::asking::Address;
pub use self::asking::ask_ocsp;
use crate::{
    artifact::Waiting,
    checked_signatures::Crypto,
    failure::{Failure, Outcome},
    fetch::{self, HttpClient},
    input,
    kept_crls::{Age, KeptCrls, Place, Room, Says, addresses},
    session::Session,
};

/// Evidence, and what was fetched before.
#[derive(Debug)]
pub struct RevocationEvidence {
    given_crls: Vec<Vec<u8>>,
    given_ocsp: Vec<Vec<u8>>,
    client: Option<HttpClient>,
    kept: Option<KeptCrls>,
    /// What each address answered; asked once, by whichever certificate comes first.
    answers: HashMap<Address, Answer>,
}

type Answer = Arc<OnceLock<Outcome<Vec<u8>>>>;

/// Whether connections may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// They may.
    Online,
    /// None is.
    Offline,
}

/// Whether CRLs of earlier runs are read, and those of this run kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// They are.
    Used,
    /// Neither.
    Unused,
}

/// A piece of evidence, with where it came from.
#[derive(Clone, Debug)]
pub enum Piece {
    /// A CRL from this URL.
    Crl(String, Vec<u8>),
    /// An OCSP response from this URL.
    Ocsp(String, Vec<u8>),
}

/// What was found for the certificates of one verification.
#[derive(Debug)]
pub struct Fetched {
    /// The pieces, each once.
    pub pieces: Vec<Piece>,
    /// For how many certificates nothing could be had although they name an address.
    pub failed: usize,
    /// Of how many certificates nothing recent is known although they name an address.
    pub open: usize,
    /// Which of the CRLs that were given are older than one that was seen and is not kept any more.
    outdated: BTreeSet<usize>,
}

/// What was found for one certificate.
#[derive(Debug, Default)]
struct Found {
    pieces: Vec<Piece>,
    /// Whether something recent is known of it.
    is_known: bool,
    /// Addresses that were asked for it first, and in vain.
    failures: Vec<Failure>,
    /// Which of the CRLs that were given are older than one that is not kept any more.
    outdated: BTreeSet<usize>,
    /// What else there is to say.
    words: Vec<String>,
}

/// A CRL that was seen before and is not kept any more.
struct Forgotten {
    url: String,
    age: Age,
}

/// How a certificate is asked about.
#[derive(Clone, Copy)]
struct Question<'a> {
    source: &'a RevocationSource,
    rules: &'a Revocation,
    now: UnixSeconds,
    crypto: &'a Crypto,
}

impl RevocationEvidence {
    /// Reads the files that were given.
    ///
    /// # Errors
    /// `setup.input.unreadable`; what a file holds is looked at by the core.
    pub fn open(
        crls: &[PathBuf],
        ocsp: &[PathBuf],
        network: Network,
        cache: Cache,
    ) -> Outcome<Self> {
        let read = |files: &[PathBuf], kind: Kind, maximum: usize| -> Outcome<Vec<Vec<u8>>> {
            let each: Outcome<Vec<_>> =
                files.iter().map(|file| input::objects(file, kind, maximum)).collect();
            Ok(each?.into_iter().flatten().collect())
        };
        let client = match network {
            Network::Online => Some(HttpClient::public()?),
            Network::Offline => None,
        };
        Ok(Self {
            given_crls: read(crls, Kind::Crl, limits::CRL_BYTES)?,
            given_ocsp: read(ocsp, Kind::Any, limits::OCSP_BYTES)?,
            client,
            kept: KeptCrls::usual().filter(|_| cache == Cache::Used),
            answers: HashMap::new(),
        })
    }

    /// The evidence that was given.
    pub fn given(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        self.given_but(&BTreeSet::new())
    }

    /// The evidence that was given and that may be used beside what was fetched: without CRLs that are older
    /// than one that this computer has seen.
    pub fn given_beside(&self, fetched: &Fetched) -> (Vec<&[u8]>, Vec<&[u8]>) {
        self.given_but(&fetched.outdated)
    }

    fn given_but(&self, outdated: &BTreeSet<usize>) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let crls = self.given_crls.iter().enumerate();
        let crls = crls.filter(|(index, _)| !outdated.contains(index));
        (
            crls.map(|(_, crl)| crl.as_slice()).collect(),
            self.given_ocsp.iter().map(Vec::as_slice).collect(),
        )
    }

    /// Finds what is not covered by what was given (`sources` says what is), all certificates at once: each certificate's
    /// CRLs in order, then its OCSP responders, until one says something recent of it. CRLs go
    /// first: an address of one tells nobody which file is looked at. What fails is said on stderr
    /// and left out. Kept CRLs are handed in beside what came.
    pub fn fetch(
        &mut self,
        session: &Session,
        sources: &[RevocationSource],
        rules: &Revocation,
        now: UnixSeconds,
    ) -> Fetched {
        if self.client.is_some() {
            for address in sources.iter().flat_map(Address::all) {
                self.answers.entry(address).or_default();
            }
        }
        let found = self.find(session, sources, rules, now);
        let (pieces, outdated) = (Vec::new(), BTreeSet::new());
        let mut fetched = Fetched { pieces, failed: 0, open: 0, outdated };
        for (source, found) in sources.iter().zip(found) {
            for failure in &found.failures {
                session.output.say(&format!("warning: {failure}"));
            }
            for words in &found.words {
                session.output.say(words);
            }
            fetched.outdated.extend(found.outdated);
            if !found.is_known && Address::all(source).next().is_some() {
                fetched.open += 1;
                fetched.failed += usize::from(found.pieces.is_empty());
            }
            for piece in found.pieces {
                if !fetched.pieces.iter().any(|other| other.octets() == piece.octets()) {
                    fetched.pieces.push(piece);
                }
            }
        }
        fetched
    }

    fn find(
        &self,
        session: &Session,
        sources: &[RevocationSource],
        rules: &Revocation,
        now: UnixSeconds,
    ) -> Vec<Found> {
        let _waiting = self.unanswered_hosts(sources).map(|hosts| {
            Waiting::begin(session, &format!("Asking {hosts} whether certificates are revoked"))
        });
        thread::scope(|scope| {
            let threads: Vec<_> = sources
                .iter()
                .map(|source| Question { source, rules, now, crypto: &session.crypto })
                .map(|question| scope.spawn(move || self.find_one(question)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
        })
    }

    /// The hosts that will be asked now, for the person who waits.
    fn unanswered_hosts(&self, sources: &[RevocationSource]) -> Option<String> {
        let mut hosts: Vec<String> = Vec::new();
        for address in sources.iter().flat_map(Address::all) {
            let is_open = self.answers.get(&address).is_some_and(|answer| answer.get().is_none());
            let url = fetch::address(address.url()).ok().filter(|_| is_open);
            let host = url.and_then(|url| url.host_str().map(str::to_owned));
            if let Some(host) = host.filter(|host| !hosts.contains(host)) {
                hosts.push(host);
            }
        }
        let more = hosts.len().saturating_sub(3);
        hosts.truncate(3);
        match (hosts.is_empty(), more) {
            (true, _) => None,
            (false, 0) => Some(hosts.join(", ")),
            (false, more) => Some(format!("{} and {more} more", hosts.join(", "))),
        }
    }

    fn find_one(&self, question: Question<'_>) -> Found {
        let mut found = Found::default();
        let forgotten = self.forgotten_for(question);
        self.refuse_outdated(question, &forgotten, &mut found);
        let mut kept = self.kept_for(question);
        let response = self.kept_response(question);
        self.keep_given(question, &mut found);
        let is_kept_good = is_fresh(
            question.known(kept.iter().map(|(_, crl)| crl.as_slice()), response.as_deref()),
        );
        let is_covered = question.source.is_covered && {
            let (crls, ocsp) = self.given_but(&found.outdated);
            found.outdated.is_empty() || is_fresh(question.known(crls, ocsp))
        };
        found.is_known = is_covered || is_kept_good;
        if let Some(client) = self.client.as_ref().filter(|_| !is_covered) {
            let came = self.ask(client, (question, &forgotten), is_kept_good, &mut found);
            found.is_known |= came;
            self.keep_newest(question, &mut found);
            self.keep_revoking_responses(question, found.pieces.iter().filter_map(Piece::ocsp));
            // Another process may have kept something newer while this one waited.
            kept = self.kept_by_now(question, kept);
            if let Some((url, crl)) = kept.first().filter(|_| is_kept_good && !came) {
                let made = CertificateList::decode(crl).map(|crl| crl.this_update.to_string());
                found.words.push(format!(
                    "note: there was no answer, so the kept CRL of {} from {} is used",
                    made.unwrap_or_default(),
                    countersign_core::finding::quoted(url.clone())
                ));
            }
        }
        let kept: Vec<_> = kept
            .into_iter()
            .filter(|kept| !found.pieces.iter().any(|came| question.replaces(came, kept)))
            .collect();
        found.pieces.extend(kept.into_iter().map(|(url, crl)| Piece::Crl(url, crl)));
        found.pieces.extend(response.map(|response| Piece::Ocsp("kept".to_owned(), response)));
        found
    }

    /// Asks the certificate's addresses in order; gives whether one said something recent of it.
    fn ask(
        &self,
        client: &HttpClient,
        (question, forgotten): (Question<'_>, &[Forgotten]),
        is_kept_good: bool,
        found: &mut Found,
    ) -> bool {
        for address in Address::all(question.source) {
            let Some(answer) = self.answers.get(&address) else { continue };
            let answer = answer.get_or_init(|| {
                let answer = address.ask(client, is_kept_good);
                found.failures.extend(answer.as_ref().err().cloned());
                answer
            });
            if let Ok(octets) = answer {
                let piece = address.piece(octets.clone());
                if let Some(older) = forgotten.iter().find(|one| one.is_newer_than(&piece)) {
                    found.words.push(older.words("what came"));
                    continue;
                }
                found.pieces.push(piece);
                let (crls, ocsp) = self.given_but(&found.outdated);
                let crls = crls.into_iter().chain(found.pieces.iter().filter_map(Piece::crl));
                let ocsp = ocsp.into_iter().chain(found.pieces.iter().filter_map(Piece::ocsp));
                if is_fresh(question.known(crls, ocsp)) {
                    return true;
                }
            }
        }
        false
    }

    /// The kept CRLs that say something authentic of the certificate.
    fn kept_for(&self, question: Question<'_>) -> Vec<(String, Vec<u8>)> {
        let Some(kept) = &self.kept else { return Vec::new() };
        let Some(issuer_key) = question.issuer_key() else { return Vec::new() };
        let read =
            question.urls().filter_map(|url| Some((url, kept.read(Place { url, issuer_key })?)));
        let mut found = Vec::new();
        for (url, crl) in read {
            let Some(known) = question.known([crl.as_slice()], []) else { continue };
            if known.revoked.is_some() {
                kept.protect(Place { url, issuer_key });
            }
            found.push((url.to_owned(), crl));
        }
        found
    }

    /// The kept OCSP response that revoked the certificate, if it is authentic.
    fn kept_response(&self, question: Question<'_>) -> Option<Vec<u8>> {
        let (issuer_key, serial) = (question.issuer_key()?, question.serial()?);
        let response = self.kept.as_ref()?.read_response(issuer_key, serial)?;
        question.known([], [response.as_slice()]).map(|_| response)
    }

    /// Keeps what was given as if it had been fetched: whoever was shown a revocation once has seen it.
    fn keep_given(&self, question: Question<'_>, found: &mut Found) {
        let (crls, ocsp) = self.given_but(&found.outdated);
        for crl in crls {
            self.keep(question, question.url_of(crl), crl, &mut found.words);
        }
        self.keep_revoking_responses(question, ocsp);
    }

    fn keep_revoking_responses<'e>(
        &self,
        question: Question<'_>,
        responses: impl IntoIterator<Item = &'e [u8]>,
    ) {
        let Some(folder) = &self.kept else { return };
        let (Some(issuer_key), Some(serial)) = (question.issuer_key(), question.serial()) else {
            return;
        };
        for response in responses {
            let known = question.known([], [response]);
            if known.is_none_or(|known| known.revoked.is_none()) {
                continue;
            }
            // What was on hold may be revoked for good by now.
            folder.keep_response((issuer_key, serial), response, |before| {
                let both = before.into_iter().chain([response]);
                question.known([], both) != question.known([], before)
            });
        }
    }

    /// The CRLs that were seen at the certificate's addresses by then and are not kept any more.
    fn forgotten_for(&self, question: Question<'_>) -> Vec<Forgotten> {
        let Some(kept) = &self.kept else { return Vec::new() };
        let Some(issuer_key) = question.issuer_key() else { return Vec::new() };
        let latest = question.now.plus_seconds(limits::CLOCK_SKEW_SECONDS);
        let forgotten = question.urls().filter_map(|url| {
            let age = kept.forgotten(Place { url, issuer_key })?;
            Some(Forgotten { url: url.to_owned(), age })
        });
        forgotten.filter(|each| each.age.this_update() <= latest).collect()
    }

    /// Finds the CRLs that were given for the certificate and are older than the newest that was seen. Nobody
    /// can tell from which of its addresses they are.
    fn refuse_outdated(&self, question: Question<'_>, forgotten: &[Forgotten], found: &mut Found) {
        let Some(newest) = forgotten.iter().max_by(|one, other| one.age.cmp(&other.age)) else {
            return;
        };
        for (index, crl) in self.given_crls.iter().enumerate() {
            if Age::of(crl).as_ref() < Some(&newest.age) && question.is_by_issuer(crl) {
                found.outdated.insert(index);
                found.words.push(newest.words("a CRL that was given"));
            }
        }
    }

    /// What is kept now, and what was before and is kept no longer.
    fn kept_by_now(
        &self,
        question: Question<'_>,
        before: Vec<(String, Vec<u8>)>,
    ) -> Vec<(String, Vec<u8>)> {
        let mut kept = self.kept_for(question);
        for (url, crl) in before {
            if !kept.iter().any(|(at, _)| *at == url) {
                kept.push((url, crl));
            }
        }
        kept
    }

    /// Keeps what came and says something authentic of the certificate.
    fn keep_newest(&self, question: Question<'_>, found: &mut Found) {
        for piece in &found.pieces {
            if let Piece::Crl(url, crl) = piece {
                self.keep(question, url, crl, &mut found.words);
            }
        }
    }

    /// Keeps a CRL if it says something authentic of the certificate, unless a newer list of its issuer is kept
    /// by then, whatever that one says of it: it may be silent about this certificate, or made after the time as
    /// of which is verified.
    fn keep(&self, question: Question<'_>, url: &str, crl: &[u8], words: &mut Vec<String>) {
        let Some(folder) = &self.kept else { return };
        let Some(issuer_key) = question.issuer_key() else { return };
        let Some(known) = question.known([crl], []) else { return };
        let says = if known.revoked.is_some() { Says::Revoked } else { Says::NotRevoked };
        let room = folder.keep_if(Place { url, issuer_key }, (crl, says), |kept| {
            let kept = kept.filter(|kept| question.is_by_issuer(kept));
            kept.is_none_or(|kept| Age::of(kept) < Age::of(crl))
        });
        if room == Room::Lacking {
            words.push(format!(
                "warning: there is no room to keep the CRL of {}: the folder of kept CRLs is full of such as \
                 must not go for it",
                countersign_core::finding::quoted(url.to_owned())
            ));
        }
    }
}

impl<'a> Question<'a> {
    /// The key of the certificate's issuer, DER.
    fn issuer_key(self) -> Option<&'a [u8]> {
        Certificate::decode(self.source.link.issuer()).ok().map(|issuer| issuer.public_key.raw)
    }

    /// The certificate's serial number, as it is encoded.
    fn serial(self) -> Option<&'a [u8]> {
        Certificate::decode(self.source.link.certificate()).ok().map(|it| it.serial)
    }

    /// The addresses at which CRLs for the certificate are kept.
    fn urls(self) -> impl Iterator<Item = &'a str> {
        addresses(self.source.crl_urls.iter().map(String::as_str))
    }

    /// The address at which a CRL that was given is kept.
    fn url_of(self, crl: &[u8]) -> &'a str {
        let crl = CertificateList::decode(crl).ok();
        let point = crl.and_then(|crl| crl.extensions.issuing_distribution_point);
        let names = |url: &&str| point.as_ref().is_some_and(|(_, it)| it.urls.contains(url));
        self.urls().find(names).unwrap_or_default()
    }

    /// Whether that CRL is by the certificate's issuer, whenever it was made and whatever it covers.
    fn is_by_issuer(self, crl: &[u8]) -> bool {
        let issuer = Certificate::decode(self.source.link.issuer());
        let crl = CertificateList::decode(crl);
        issuer.is_ok_and(|issuer| crl.is_ok_and(|crl| crl.is_by(&issuer, self.crypto)))
    }

    /// What that evidence says of the certificate.
    fn known<'e>(
        self,
        crls: impl IntoIterator<Item = &'e [u8]>,
        ocsp: impl IntoIterator<Item = &'e [u8]>,
    ) -> Option<Known> {
        let (crls, ocsp): (Vec<_>, Vec<_>) =
            (crls.into_iter().collect(), ocsp.into_iter().collect());
        revocation::known(&self.source.link, (&crls, &ocsp), self.rules, self.crypto, self.now)
    }

    /// Whether what came is authentic, of the same address as the kept CRL, and newer.
    fn replaces(self, came: &Piece, (kept_url, kept): &(String, Vec<u8>)) -> bool {
        let Piece::Crl(url, crl) = came else { return false };
        url == kept_url
            && Age::of(kept) < Age::of(crl)
            && self.known([crl.as_slice()], []).is_some()
    }
}

impl Forgotten {
    /// Whether that is an older CRL of the same address.
    fn is_newer_than(&self, piece: &Piece) -> bool {
        let Piece::Crl(url, crl) = piece else { return false };
        *url == self.url && Age::of(crl).as_ref() < Some(&self.age)
    }

    fn words(&self, what: &str) -> String {
        format!(
            "warning: {what} is not used: it is older than the kept CRL of {} from {}",
            self.age.this_update(),
            countersign_core::finding::quoted(self.url.clone())
        )
    }
}

fn is_fresh(known: Option<Known>) -> bool {
    known.is_some_and(|known| known.is_fresh())
}

impl Fetched {
    /// The CRLs and the OCSP responses, DER.
    pub fn octets(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let pieces = self.pieces.iter();
        (pieces.clone().filter_map(Piece::crl).collect(), pieces.filter_map(Piece::ocsp).collect())
    }
}

impl Piece {
    /// DER.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Crl(_, octets) | Self::Ocsp(_, octets) => octets,
        }
    }

    /// Where it came from.
    pub fn url(&self) -> &str {
        match self {
            Self::Crl(url, _) | Self::Ocsp(url, _) => url,
        }
    }

    fn crl(&self) -> Option<&[u8]> {
        match self {
            Self::Crl(_, octets) => Some(octets),
            Self::Ocsp(..) => None,
        }
    }

    fn ocsp(&self) -> Option<&[u8]> {
        match self {
            Self::Ocsp(_, octets) => Some(octets),
            Self::Crl(..) => None,
        }
    }
}
