//! Addresses in international domains.

use super::fixture::{Console, World};

fn world() -> World {
    let mut world = World::default();
    for (n, email) in ["soyul@xn--3e0b707e.example", "mina@xn--pple-43d.example"].into_iter().enumerate() {
        world.rows[n].user.email = email.into();
        world.sends[n].recipient = email.into();
    }
    world
}

#[test]
fn a_domain_is_shown_in_its_own_script_and_found_in_both() {
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
        for view in ["", "m"] {
            let mut console = Console::new(width, height);
            console.serve(&world());
            console.run(&world(), view);
            let shown = console.screen();
            assert!(shown.contains(" soyul@한국.example"), "{shown}");
            assert!(shown.contains(" ! mina@xn--pple-43d.example"), "{shown}");
        }
    }
    let mut console = Console::new(80, 24);
    console.serve(&world());
    for text in ["한국", "xn--3e0b707e", "soyul@한국.example"] {
        console.press("/");
        console.type_text(text);
        console.serve(&world());
        assert_eq!(console.selected(), 49_993, "{text}");
        console.run(&world(), "Esc");
    }
}

#[test]
fn the_details_say_what_is_mailed_and_what_mixes_scripts() {
    for (open, next) in [("Enter", "Esc j Enter"), ("m Enter", "Esc j Enter")] {
        let mut console = Console::new(80, 24);
        console.serve(&world());
        console.run(&world(), open);
        let shown = console.screen();
        assert!(shown.contains(" soyul@한국.example\n soyul@xn--3e0b707e.example\n"), "{shown}");
        console.run(&world(), next);
        let shown = console.screen();
        let warning =
            " mina@xn--pple-43d.example\n ! Its domain mixes scripts: it would look like “\u{430}pple.example”.\n";
        assert!(shown.contains(warning), "{shown}");
    }
}
