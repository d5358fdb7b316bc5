use super::*;
use crate::cost::price::Storage;

#[test]
fn every_entry_that_ships_says_when_where_and_how_sure() {
    let shipped = shipped().unwrap();
    assert!(shipped.len() >= 30, "{}", shipped.len());
    for price in &shipped {
        let id = &price.id;
        assert!(!price.own && price.source != "your own", "{id}");
        let known = price.storage != Storage::Unknown;
        assert_eq!(known, price.date.is_some(), "{id}: what is known has a date");
        assert!(!known || price.confidence != crate::cost::Confidence::User, "{id}");
        let twice = shipped.iter().filter(|other| other.title() == price.title()).count();
        assert_eq!(twice, 1, "{id}");
    }
    assert_eq!(Prices::default().book.iter().count(), shipped.len());
}

#[test]
fn the_users_own_file_adds_and_overrides() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[vaults.a]\npath = \"/a\"\nprice = \"nas\"\n").unwrap();
    let own = "[prices.nas]\nvendor = \"me\"\nname = \"NAS\"\ncurrency = \"EUR\"\ndisk = { price = 180, size = \"8 TB\", years = 5 }\n\
        [prices.wasabi]\nvendor = \"Wasabi\"\nname = \"as agreed\"\ncurrency = \"USD\"\nstorage = 0.005\n";
    std::fs::write(own_file(&config), own).unwrap();
    let prices = Config::load(&config).unwrap().prices;
    assert_eq!(prices.problems, Vec::<String>::new());
    assert!(prices.find("nas").unwrap().own);
    assert_eq!(prices.find("wasabi").unwrap().name, "as agreed");
    assert_eq!(prices.book.iter().count(), Prices::default().book.iter().count() + 1);
}

#[test]
fn mistakes_are_kept_and_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let said = |text: &str| text.replace(&folder.path().display().to_string(), "");
    std::fs::write(&config, "[vaults.a]\npath = \"/a\"\nprice = \"wasaby\"\n").unwrap();
    let prices = Config::load(&config).unwrap().prices;
    insta::assert_snapshot!(said(&prices.problems.join("\n")), @r#"/config.toml:3: vault a: there is no price "wasaby": did you mean wasabi? see them: coffer prices list"#);
    std::fs::write(own_file(&config), "[prices.a]\nvendor = 3\n").unwrap();
    let prices = Config::load(&config).unwrap().prices;
    insta::assert_snapshot!(said(&prices.problems[0]), @r#"/prices.toml:1: price "a" lacks currency = "USD""#);
    assert_eq!(prices.problems.len(), 2);
    assert!(prices.find("backblaze-b2").is_ok());
}

#[test]
fn the_shipped_book_reads_as_this() {
    let line = |price: &Price| format!("{:<36} {} ({})", price.id, price.terms(), price.known_by());
    let lines: Vec<String> = Prices::default().book.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    alibaba-hbr-vault                    unknown (unconfirmed)
    alibaba-oss-standard-lrs-mainland    $0.0173 a GB for 30 days, no minimum (2024-12-20, the vendor)
    alibaba-oss-ia-lrs-mainland          $0.01 a GB for 30 days, 30 days at least, objects of 64 KiB at least (2024-12-20, unconfirmed)
    alibaba-oss-archive-lrs-mainland     $0.0045 a GB for 30 days, 60 days at least, objects of 64 KiB at least (2024-12-20, unconfirmed)
    alibaba-oss-cold-archive-lrs-mainland $0.0022 a GB for 30 days, 180 days at least, objects of 64 KiB at least (2024-12-20, unconfirmed)
    alibaba-ecs-snapshot-hangzhou        $0.0173 a GB for 30 days, no minimum (2024-12, the vendor)
    alibaba-ecs-archive-snapshot         unknown, 60 days at least (2024-12, the vendor)
    aws-s3-standard-us-east-1            $0.023 a GiB-month, no minimum (2026-05, third party)
    aws-s3-standard-ia-us-east-1         $0.0125 a GiB-month, 30 days at least, objects of 128 KiB at least (2026-06, third party)
    aws-s3-glacier-instant-us-east-1     $0.004 a GiB-month, 90 days at least, objects of 128 KiB at least (2026-06, third party)
    aws-s3-glacier-flexible-us-east-1    $0.0036 a GiB-month, 90 days at least (2026-06, third party)
    aws-s3-glacier-deep-archive-us-east-1 $0.00099 a GiB-month, 180 days at least (2026-06, third party)
    aws-ebs-snapshot                     $0.05 a GiB-month, no minimum (2026, third party)
    aws-ebs-snapshot-archive             $0.0125 a GiB-month, 90 days at least (2026, third party)
    aws-backup-warm-us-east-1            $0.05 a GiB-month, no minimum (2026-02, third party)
    aws-backup-cold-us-east-1            $0.01 a GiB-month, 90 days at least (2026-02, third party)
    azure-blob-hot-lrs-east-us           $0.018 a GiB-month, no minimum (2026-05, third party)
    azure-blob-cool-lrs-east-us          $0.01 a GiB-month, 30 days at least (2026-05, third party)
    azure-blob-cold-lrs-east-us          $0.0036 a GiB-month, 90 days at least (2026-05, third party)
    azure-blob-archive-lrs-east-us       $0.00099 a GiB-month, 180 days at least (2026-05, third party)
    gcs-standard-us-east1                $0.02 a GiB-month, no minimum (2026-09, third party)
    gcs-nearline-us-east1                $0.01 a GiB-month, 30 days at least (2026-09, third party)
    gcs-coldline-us-east1                $0.004 a GiB-month, 90 days at least (2026-09, third party)
    gcs-archive-us-east1                 $0.0012 a GiB-month, 365 days at least (2026-09, third party)
    backblaze-b2                         $0.00695 a GB-month, the first 10 GB free, no minimum (2026-09, third party)
    wasabi                               $0.00799 a GB-month, 1 TB at least, 90 days at least, objects of 4 KiB at least (2026-07, third party)
    cloudflare-r2-standard               $0.015 a GB-month, the first 10 GB free, no minimum (2026, the vendor)
    cloudflare-r2-ia                     $0.01 a GB-month, 30 days at least (2026, the vendor)
    hetzner-storage-box                  €3.20 for 1 TB to €40.60 for 20 TB a month (2026-07, third party)
    hetzner-object-storage               €6.49 a month for 1 TB, beyond that unknown (2026, third party)
    rsync-net                            $0.015 a GB-month, 800 GB at least (2026, third party)
    rsync-net-borg                       $0.01 a GB-month, 200 GB at least (2026, third party)
    local-disk                           unknown (you)
    ");
}

#[test]
fn the_template_says_nothing_and_its_examples_are_right() {
    let file = Path::new("prices.toml");
    assert_eq!(parse::prices(TEMPLATE, file, true).unwrap(), []);
    // A line of an example has no blank behind its #.
    let uncomment = |line: &'static str| match line.strip_prefix('#') {
        Some(example) if !example.is_empty() && !example.starts_with(' ') => example,
        _ => line,
    };
    let examples = TEMPLATE.lines().map(uncomment).collect::<Vec<_>>().join("\n");
    let prices = parse::prices(&examples, file, true).unwrap();
    let ids: Vec<&str> = prices.iter().map(|price| price.id.as_str()).collect();
    assert_eq!(ids, ["my-disk", "my-store", "my-tiers", "my-base", "my-plans"]);
}
