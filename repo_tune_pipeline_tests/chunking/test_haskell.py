from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

HASKELL = r"""{-# LANGUAGE OverloadedStrings #-}
{-# LANGUAGE TypeFamilies #-}

-- | What a shop sells.
module Shop.Cart
  ( Cart (..)
  , total
  ) where

import Control.Monad (forM_, when)
import qualified Data.Map.Strict as Map
import Prelude hiding (lookup)

-- | What a customer is about to buy.
data Cart a = Cart
  { items :: [a] -- ^ kept in order
  , owner :: !Text
  }
  deriving (Eq, Show)

newtype Price = Price { cents :: Int }
  deriving newtype (Num, Ord)

type Prices = Map.Map Text Price

type family Elem c where
  Elem [a] = a
  Elem Text = Char

-- | What can be priced.
class Priced a where
  -- | What one costs.
  price :: a -> Price
  price = const 0

  name :: a -> Text

instance Priced a => Priced (Cart a) where
  price cart =
    sum (map price (items cart))

  name = owner

-- | Adds up, with a rate on top.
--
-- Nothing costs nothing.
total :: Priced a
      => Rate -> [a] -> Price
total _ [] = 0
total rate (x : xs)
  | free x = rest
  | otherwise = price x + rest
  where
    rest :: Price
    rest = total rate xs
    free item = price item == 0

{-| Sells all.

Says so, too.
-}
{-# INLINE checkout #-}
checkout :: Cart Item -> IO ()
checkout cart = do
  -- Nothing to pay for nothing.
  when (null (items cart)) $
    throwIO Empty
  forM_ (items cart) $ \item -> do
    putStrLn $ "sold " <> name item
    sell item
  let paid = total standard (items cart)
  case Map.lookup (owner cart) debts of
    Nothing -> pure ()
    Just debt -> settle debt paid

(<+>) :: Cart a -> Cart a -> Cart a
Cart a o <+> Cart b _ =
  Cart (a ++ b) o

infixl 6 <+>

limit :: Int
limit = 3

limits =
  [ 1
  , 2 ]

data Shape where
  Circle :: Int -> Shape
  Square :: Int -> Shape

helper a = f a -- trailing
helper b =
  g b

even' 0 = True
-- in between
even' n = odd' (n - 1)

spec :: Spec
spec = describe "a cart" $
  it "costs nothing" $ do
    total standard [] `shouldBe` 0
"""


def test_haskell_definitions() -> None:
    chunked = cut({"Cart.hs": HASKELL})
    assert outline_rows(chunked) == [
        ("type", "Cart", 14, 19, "data Cart a"),
        ("type", "Price", 21, 22, "newtype Price"),
        ("type", "Elem", 26, 28, "type family Elem c"),
        ("type", "Priced", 30, 36, "class Priced a"),
        ("method", "Priced.price", 32, 34, "price :: a -> Price"),
        ("type", "Priced (Cart a)", 38, 42, "instance Priced a => Priced (Cart a)"),
        ("method", "Priced (Cart a).price", 39, 40, "price cart"),
        ("function", "total", 44, 56, "total :: Priced a => Rate -> [a] -> Price"),
        ("function", "checkout", 58, 74, "checkout :: Cart Item -> IO ()"),
        ("function", "<+>", 76, 78, "(<+>) :: Cart a -> Cart a -> Cart a"),
        ("function", "limit", 82, 83, "limit :: Int"),
        ("function", "limits", 85, 87, "limits"),
        ("type", "Shape", 89, 91, "data Shape"),
        ("function", "helper", 93, 95, "helper a"),
        ("function", "even'", 97, 99, "even' 0"),
        ("test", "spec", 101, 104, "spec :: Spec"),
    ]
    assert reasons(chunked) == {"Prices": "trivial", "Priced (Cart a).name": "trivial"}


def test_haskell_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("Cart.hs", HASKELL)
    assert chunks["Cart"].docstring == "What a customer is about to buy."
    assert chunks["total"].docstring == "Adds up, with a rate on top.\n\nNothing costs nothing."
    assert chunks["total"].callees == ("free", "price", "total")
    assert cut_lines(chunks["total"]) == [
        "total _ [] = 0",
        "total rate (x : xs)",
        "| free x = rest",
        "| otherwise = price x + rest",
        "rest :: Price",
        "rest = total rate xs",
        "free item = price item == 0",
    ]
    assert chunks["checkout"].docstring == "Sells all.\n\nSays so, too."
    assert chunks["checkout"].attributes == ("{-# INLINE checkout #-}",)
    assert chunks["checkout"].callees == (
        "Map.lookup",
        "forM_",
        "items",
        "name",
        "null",
        "owner",
        "pure",
        "putStrLn",
        "sell",
        "settle",
        "throwIO",
        "total",
        "when",
    )
    assert chunks["checkout"].imports == ("Control.Monad", "Data.Map.Strict", "Prelude")
    assert cut_lines(chunks["checkout"]) == [
        "checkout cart = do",
        "when (null (items cart)) $",
        "forM_ (items cart) $ \\item -> do",
        'putStrLn $ "sold " <> name item',
        "sell item",
        "let paid = total standard (items cart)",
        "case Map.lookup (owner cart) debts of",
        "Nothing -> pure ()",
        "Just debt -> settle debt paid",
    ]
    assert cut_lines(chunks["Priced"]) == [
        "price :: a -> Price",
        "price = const 0",
        "name :: a -> Text",
    ]
    assert chunks["spec"].callees == ("describe", "it", "shouldBe", "total")
