from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

POSTGRES = r"""-- Migrations of the shop.
\connect shop
BEGIN;

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";

-- What a customer is about to buy.
-- One for each visit.
CREATE TABLE IF NOT EXISTS shop.carts (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    owner text NOT NULL REFERENCES shop.customers (id),
    paid boolean DEFAULT false,
    CONSTRAINT one_open UNIQUE (owner, paid)
);

CREATE TYPE mood AS ENUM (
    'sad',
    'ok'
);

CREATE INDEX carts_owner ON shop.carts (owner);

ALTER TABLE shop.carts
    ADD COLUMN note text;

/* Open carts alone. */
CREATE OR REPLACE VIEW open_carts AS
SELECT c.id, count(*) AS n
FROM shop.carts c
JOIN shop.items i ON i.cart = c.id
WHERE NOT c.paid
GROUP BY c.id;

CREATE MATERIALIZED VIEW totals AS
    SELECT owner, sum(price)
    FROM shop.items
    GROUP BY owner;

-- Adds up.
CREATE OR REPLACE FUNCTION shop.total(cart uuid, rate numeric)
RETURNS numeric AS $$
DECLARE
    found numeric;
BEGIN
    SELECT sum(price) INTO found FROM shop.items WHERE cart_id = cart;
    IF found IS NULL THEN
        RETURN 0;
    END IF;
    FOR item IN SELECT * FROM shop.items LOOP
        seen := seen || '; -- no end';
    END LOOP;
    PERFORM shop.log('total', found);
    RETURN round(found * rate, 2);
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION add(a int, b int) RETURNS int
    LANGUAGE sql IMMUTABLE
    AS 'select a + b';

CREATE TABLE broken (
    id int,
    name text

CREATE FUNCTION one() RETURNS int
BEGIN ATOMIC
    SELECT coalesce(1, two());
END;

CREATE TRIGGER touched
    BEFORE UPDATE ON shop.carts
    FOR EACH ROW
    EXECUTE FUNCTION shop.touch();

CREATE PROCEDURE sweep()
LANGUAGE sql
AS $$
    DELETE FROM shop.carts;
$$;

CREATE TABLE after_it (
    id int,
    name varchar(20)
);

INSERT INTO shop.items VALUES
    (1, 'a'),
    (2, 'b');

CREATE TABLE `odd names` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE cheap AS
SELECT * FROM shop.items
WHERE price < 3;
COMMIT;
"""


OTHERS = r"""DELIMITER $$
-- Adds.
CREATE DEFINER=`root`@`%` PROCEDURE `add_one`(IN a INT)
BEGIN
  CASE a WHEN 1 THEN
    SELECT 1;
  END CASE;
  WHILE a > 0 DO
    SET a = a - 1;
  END WHILE;
  CALL log('it''s; $$ done', `my fn`(a));
END$$
CREATE TRIGGER t2 BEFORE INSERT ON x FOR EACH ROW
  SET NEW.a = f(1);
$$
DELIMITER ;
CREATE TABLE `a;b` (
  `id` int, # x
  PRIMARY KEY (`id`)
);
-- +goose StatementBegin
CREATE FUNCTION py(a int) RETURNS int AS $$
    # don't
    s = "it's"; return don't(a)
$$ LANGUAGE plpython3u;
-- +goose StatementEnd
CREATE TABLE [x] (
 a int
)
GO
CREATE PROC dbo.p @a int AS
BEGIN
  IF @a = 1
  BEGIN
    SELECT dbo.f(@a);
  END
END
GO
CREATE TABLE t3 (
  a text DEFAULT 'C:\',
  b text DEFAULT 'it\'s'
);
CREATE OR REPLACE FUNCTION price_of(a IN NUMBER) RETURN NUMBER IS
  found NUMBER;
BEGIN
  IF a IS NULL THEN
    RETURN 0;
  END IF;
  RETURN pkg.rate(found);
END price_of;
/
CREATE TABLE open (
  a text DEFAULT 'x
);
"""


def test_postgres_definitions() -> None:
    chunked = cut({"shop.sql": POSTGRES})
    assert outline_rows(chunked) == [
        ("type", "shop.carts", 7, 14, "CREATE TABLE IF NOT EXISTS shop.carts"),
        ("type", "mood", 16, 19, "CREATE TYPE mood AS ENUM"),
        ("type", "open_carts", 26, 32, "CREATE OR REPLACE VIEW open_carts"),
        ("type", "totals", 34, 37, "CREATE MATERIALIZED VIEW totals"),
        (
            "function",
            "shop.total",
            39,
            55,
            "CREATE OR REPLACE FUNCTION shop.total(cart uuid, rate numeric) RETURNS numeric",
        ),
        (
            "function",
            "add",
            57,
            59,
            "CREATE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE",
        ),
        ("function", "one", 65, 68, "CREATE FUNCTION one() RETURNS int"),
        (
            "function",
            "touched",
            70,
            73,
            "CREATE TRIGGER touched BEFORE UPDATE ON shop.carts FOR EACH ROW",
        ),
        ("function", "sweep", 75, 79, "CREATE PROCEDURE sweep() LANGUAGE sql"),
        ("type", "after_it", 81, 84, "CREATE TABLE after_it"),
        ("type", "odd names", 90, 93, "CREATE TABLE `odd names`"),
        ("type", "cheap", 95, 97, "CREATE TABLE cheap"),
    ]
    assert reasons(chunked) == {"carts_owner": "trivial", "broken": "syntax_error"}


def test_definitions_of_other_dialects() -> None:
    chunked = cut({"shop.sql": OTHERS})
    assert outline_rows(chunked) == [
        ("function", "add_one", 2, 12, "CREATE DEFINER=`root`@`%` PROCEDURE `add_one`(IN a INT)"),
        ("type", "a;b", 17, 20, "CREATE TABLE `a;b`"),
        ("function", "py", 22, 25, "CREATE FUNCTION py(a int) RETURNS int"),
        ("type", "x", 27, 29, "CREATE TABLE [x]"),
        ("function", "dbo.p", 31, 37, "CREATE PROC dbo.p @a int"),
        ("type", "t3", 39, 42, "CREATE TABLE t3"),
        (
            "function",
            "price_of",
            43,
            50,
            "CREATE OR REPLACE FUNCTION price_of(a IN NUMBER) RETURN NUMBER",
        ),
    ]
    assert reasons(chunked) == {"t2": "trivial", "open": "syntax_error"}


def test_postgres_documentation_calls_and_cuts() -> None:
    chunks = cut_one("shop.sql", POSTGRES)
    assert chunks["shop.carts"].docstring == "What a customer is about to buy.\nOne for each visit."
    assert chunks["shop.carts"].callees == ("uuid_generate_v4",)
    assert cut_lines(chunks["shop.carts"]) == [
        "id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),",
        "owner text NOT NULL REFERENCES shop.customers (id),",
        "paid boolean DEFAULT false,",
        "CONSTRAINT one_open UNIQUE (owner, paid)",
    ]
    assert chunks["open_carts"].docstring == "Open carts alone."
    assert cut_lines(chunks["open_carts"]) == [
        "SELECT c.id, count(*) AS n",
        "FROM shop.carts c",
        "JOIN shop.items i ON i.cart = c.id",
        "WHERE NOT c.paid",
        "GROUP BY c.id;",
    ]
    assert chunks["shop.total"].docstring == "Adds up."
    assert chunks["shop.total"].callees == ("round", "shop.log", "sum")
    assert cut_lines(chunks["shop.total"]) == [
        "DECLARE",
        "found numeric;",
        "BEGIN",
        "SELECT sum(price) INTO found FROM shop.items WHERE cart_id = cart;",
        "IF found IS NULL THEN",
        "RETURN 0;",
        "FOR item IN SELECT * FROM shop.items LOOP",
        "seen := seen || '; -- no end';",
        "PERFORM shop.log('total', found);",
        "RETURN round(found * rate, 2);",
    ]
    assert chunks["touched"].callees == ("shop.touch",)


def test_calls_and_cuts_of_other_dialects() -> None:
    chunks = cut_one("shop.sql", OTHERS)
    assert chunks["add_one"].docstring == "Adds."
    assert chunks["add_one"].callees == ("log", "my fn")
    assert cut_lines(chunks["add_one"]) == [
        "CASE a WHEN 1 THEN",
        "SELECT 1;",
        "WHILE a > 0 DO",
        "SET a = a - 1;",
        "CALL log('it''s; $$ done', `my fn`(a));",
    ]
    assert cut_lines(chunks["a;b"]) == ["`id` int, # x"]
    assert chunks["dbo.p"].callees == ("dbo.f",)
    assert cut_lines(chunks["dbo.p"]) == ["BEGIN", "IF @a = 1", "SELECT dbo.f(@a);"]
    assert chunks["price_of"].callees == ("pkg.rate",)
    assert cut_lines(chunks["price_of"]) == [
        "found NUMBER;",
        "BEGIN",
        "IF a IS NULL THEN",
        "RETURN 0;",
        "RETURN pkg.rate(found);",
    ]
