//! The console in tmux: what it shows is compared with what it shows when everything is drawn again.

use crate::support::tmux::Tmux;
use crate::support::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_verifydesk");

/// Names that tmux 3.3, ratatui and other terminals count each in their own way, between names that all agree on.
const NAMES: [&str; 24] = [
    "🇰🇷🇯🇵 Kim",
    "김철수",
    "น้ำใจ ทองคำ",
    "Mina Park",
    "ဇော်မင်းထွန်း",
    "ក្រុមហ៊ុន សុខា",
    "क्षत्रिय शर्मा",
    "தமிழ்ச்செல்வி நி",
    "山田太郎",
    "ﾔﾏﾀﾞ ﾊﾅｺﾞｼﾞ",
    "ำำำ เริ่ม",
    "\u{301}\u{301}first",
    "\u{1112}\u{1161}\u{11ab}",
    "ᅡᅡ jamo",
    "🫩🫩 new",
    "☰☱☲ trigram",
    "👩\u{200d}🚀👨\u{200d}👩\u{200d}👧",
    "🇰 half",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}a\u{300}\u{301}",
    "\u{378}\u{379} unassigned",
    "José Nguyễn",
    "ক্ষমা বাংলা",
    "\u{1b}[2J\u{202e}esc",
    "𠀋𠂢 ext",
];

/// People with such names, whose times are far from the next change of what is said of them.
async fn people() -> World {
    let world = World::new().await;
    for round in 0..3 {
        for (number, name) in NAMES.iter().enumerate() {
            let email = format!("user{round}x{number}@example.com");
            sqlx::query(
                "with person as (
                     insert into users (email, name, created_at)
                     values ($1, $2, now() - interval '3 days 5 hours 30 minutes')
                     returning id, created_at
                 )
                 insert into verifications (user_id, created_at, expires_at, key_nonce)
                 select id, created_at, now() + interval '5 days 12 hours', substring(sha256($1::text::bytea) for 16)
                 from person",
            )
            .bind(email)
            .bind(name)
            .execute(world.pool())
            .await
            .unwrap();
        }
    }
    world
}

fn open(world: &World, size: (u16, u16)) -> Tmux {
    let tmux = Tmux::start(PROGRAM, world.dir.path(), &[("DATABASE_URL", &world.db.url)], size);
    tmux.wait("people", |shown| shown.contains("@example.com"));
    tmux.quiet();
    tmux
}

/// What is shown after these keys, and what is shown once all is drawn again.
fn shown_and_fresh(tmux: &Tmux, keys: &[&str]) -> (String, String) {
    tmux.keys(keys);
    tmux.quiet();
    let shown = tmux.shown();
    let clears = |tmux: &Tmux| tmux.written().windows(4).filter(|bytes| bytes == b"\x1b[2J").count();
    let before = clears(tmux);
    tmux.keys(&["C-l"]);
    tmux.wait("everything to be drawn again", |_| clears(tmux) > before);
    tmux.quiet();
    (shown, tmux.shown())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_leave_nothing_in_the_rows_of_others() {
    let world = people().await;
    // With the detail beside the list, without, and where names end at the edge.
    for size in [(160, 40), (100, 24), (44, 12)] {
        let tmux = open(&world, size);
        let steps: [&[&str]; 14] = [
            &["j"],
            &["j", "j", "j"],
            &["PageDown"],
            &["k"],
            &["PageDown", "j"],
            &["G"],
            &["g"],
            &["Enter"],
            &["j"],
            &["Escape"],
            &["/", "x", "1"],
            &["BSpace", "2"],
            &["Escape"],
            &["j", "?"],
        ];
        for keys in steps {
            let (shown, fresh) = shown_and_fresh(&tmux, keys);
            let differ: Vec<_> = shown.lines().zip(fresh.lines()).filter(|(shown, fresh)| shown != fresh).collect();
            assert!(differ.is_empty(), "after {keys:?} at {size:?}, shown and drawn again: {differ:#?}\n{shown}");
        }
    }
}
