//! Flag over environment over file over default.

use crate::world::{IDENTITY, Run, World, command};

#[test]
fn flag_over_environment_over_file() {
    let world = World::new();
    world.write("app", "x");
    world.sign(&["app"]).succeeds();
    std::fs::create_dir_all(world.file("xdg/countersign")).expect("made");
    world.write(
        "xdg/countersign/config.toml",
        "trusted_root = \"../../trusted_root.json\"\npolicy = \"../../policy.json\"\n",
    );
    world.write("broken.json", "{}");
    let run = |environment: &[(&str, &str)], more: &[&str]| {
        let mut command = command(world.path());
        command.env("XDG_CONFIG_HOME", world.file("xdg")).envs(environment.iter().copied());
        command.args(["--format", "json", "verify", "app", "--offline"]).args(more);
        Run::of(command.output().expect("starts"))
    };
    run(&[], &[]).succeeds();
    let broken = ("COUNTERSIGN_TRUSTED_ROOT", "broken.json");
    assert_eq!(run(&[broken], &[]).exits_with(2).finding(), "setup.trust-root.malformed");
    run(&[broken], &["--trusted-root", "trusted_root.json"]).succeeds();
    // Empty is not set.
    run(&[("COUNTERSIGN_TRUSTED_ROOT", "")], &[]).succeeds();
    // An identity in the environment takes the place of the file's policy.
    let identity = ("COUNTERSIGN_CERTIFICATE_IDENTITY", "somebody@example.org");
    assert_eq!(run(&[identity], &[]).exits_with(12).finding(), "certificate.identity.unexpected");
    run(&[identity], &["--policy", "policy.json"]).succeeds();
    let both = [identity, ("COUNTERSIGN_POLICY", "policy.json")];
    run(&both, &[]).exits_with(2);
    let typed = run(&both, &["--certificate-identity", IDENTITY]);
    // The flag's identity is right; only the timestamp that its policy demands is missing.
    assert_eq!(typed.exits_with(13).finding(), "timestamp.absent");
}

#[test]
fn no_settings_come_from_the_current_folder() {
    let world = World::new();
    world.write("app", "x");
    world.sign(&["app"]).succeeds();
    for folder in ["xdg/countersign", ".config/countersign"] {
        std::fs::create_dir_all(world.file(folder)).expect("made");
        world.write(
            &format!("{folder}/config.toml"),
            "trusted_root = \"../../trusted_root.json\"\npolicy = \"../../policy.json\"\n",
        );
    }
    for (name, value) in [("XDG_CONFIG_HOME", "xdg"), ("HOME", ".")] {
        let mut command = command(world.path());
        command.env_remove("XDG_CONFIG_HOME").env("HOME", "/nonexistent").env(name, value);
        command.args(["--format", "json", "verify", "app", "--offline"]);
        let run = Run::of(command.output().expect("starts")).exits_with(2);
        assert_eq!(run.finding(), "setup.signer.not-named", "{name}");
    }
}

#[test]
fn names_the_file_and_line_of_a_wrong_setting() {
    let world = World::bare();
    for content in ["nonsense = 1\n", "timestamp_urls = \"x\"\n", "trusted_root = \n", "\u{0}"] {
        world.write("config.toml", content);
        let run = world.json(&["--config", "config.toml", "version"]).exits_with(2);
        assert_eq!(run.finding(), "setup.configuration.invalid");
        assert_eq!(run.json()["error"]["subject"], "config.toml");
    }
    let run = world.json(&["--config", "missing.toml", "version"]).exits_with(3);
    assert_eq!(run.finding(), "setup.input.unreadable");
    let mut command = command(world.path());
    command.args(["version"]).env("COUNTERSIGN_FORMAT", "xml");
    Run::of(command.output().expect("starts")).exits_with(2);
}
